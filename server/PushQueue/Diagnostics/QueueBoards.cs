using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>
/// Looks at all queues for those who watch them. All watchers share one look, which is at most a second old; while nobody asks, no
/// look is taken. A look that takes long makes the next one wait in proportion, so that watching never takes more than a small part of
/// the node.
/// </summary>
internal sealed class QueueBoards(
    IMessageBroker broker, QueueRates rates, Dispatcher dispatcher, IOtherNodes others, QueueTime time)
{
    private const int PageSize = 1000;

    /// <summary>The time between two looks is at least this many times what one takes.</summary>
    private const int RestFactor = 50;

    // Just below the second at which watchers ask, so that one who asks a little early does not see the same board twice.
    private static readonly TimeSpan AgeMin = TimeSpan.FromMilliseconds(900);

    private static readonly TimeSpan AgeMax = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _looking = new(1, 1);
    private QueueBoard? _latest;
    private long _madeAt;
    private TimeSpan _keptFor;

    public async ValueTask<QueueBoard> LatestAsync(CancellationToken cancellationToken)
    {
        await _looking.WaitAsync(cancellationToken);
        try
        {
            var startedAt = time.GetTimestamp();
            if (_latest is not null && time.GetElapsedTime(_madeAt, startedAt) < _keptFor)
            {
                return _latest;
            }

            _latest = await LookAsync();
            _madeAt = startedAt;
            var rest = time.GetElapsedTime(startedAt) * RestFactor;
            _keptFor = rest < AgeMin ? AgeMin : rest > AgeMax ? AgeMax : rest;
            return _latest;
        }
        finally
        {
            _looking.Release();
        }
    }

    private async ValueTask<QueueBoard> LookAsync()
    {
        var infos = await AllAsync();
        var elsewhere = await others.ConsumerCountsAsync();
        var dead = DeadCounts(infos);
        var rows = new BoardRow[infos.Count];
        var sums = new BoardSums { Queues = rows.Length };
        for (var i = 0; i < rows.Length; i++)
        {
            var info = infos[i];
            var row = new BoardRow(
                info,
                rates.Of(info.Name),
                dispatcher.CountConsumers(info.Name) + elsewhere.GetValueOrDefault(info.Name.Value),
                dead?.GetValueOrDefault(info.Name.Value) ?? 0);
            rows[i] = row;
            sums.Add(row);
        }

        return new QueueBoard(rates.Tick, time.GetUtcNow(), rows, sums);
    }

    private async ValueTask<List<QueueInfo>> AllAsync()
    {
        var infos = new List<QueueInfo>(_latest?.Rows.Length ?? 0);
        string? after = null;
        do
        {
            var page = await broker.ListQueuesAsync(after, PageSize);
            infos.AddRange(page.Queues);
            after = page.Next;
        }
        while (after is not null);

        return infos;
    }

    /// <summary>How many dead letters each queue has, by its name; null if no queue has any.</summary>
    private static Dictionary<string, long>? DeadCounts(List<QueueInfo> infos)
    {
        Dictionary<string, long>? dead = null;
        foreach (var info in infos)
        {
            if (info.Name.IsDeadLetter && info.Waiting > 0)
            {
                (dead ??= new(StringComparer.Ordinal))[info.Name.Source.Value] = info.Waiting;
            }
        }

        return dead;
    }
}
