using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.Watching;

#pragma warning disable RS0030 // Only notices and answers of other nodes are read here.

/// <summary>
/// Shows who is connected to a queue, at all nodes, and who comes and leaves. A node with watchers asks the others every few seconds, which
/// gives it the whole list and has them send notices of changes until the next question. While nobody watches, a consumer that comes
/// or leaves costs one look into an empty dictionary.
/// </summary>
internal sealed class PresenceWatch : IQueueChangeListener
{
    /// <summary>Asks for the consumers of a queue, and for notices of changes until some time after the last such question.</summary>
    private const string Question = "presence";

    /// <summary>Asks for the consumers of a queue as they are now.</summary>
    private const string QuestionOnce = "present";

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(5);

    private readonly Dispatcher _dispatcher;
    private readonly ConsumerRegistry _registry;
    private readonly ClusterAnswers _cluster;
    private readonly INotices _notices;
    private readonly TimeProvider _time;
    private readonly FaultBorder _faults;
    private readonly ConcurrentDictionary<QueueName, PresenceBoard> _boards = new();

    private readonly Interests _interests;

    public PresenceWatch(
        Dispatcher dispatcher,
        ConsumerRegistry registry,
        ClusterAnswers cluster,
        INotices notices,
        TimeProvider time,
        MessageMeter meter,
        Microsoft.Extensions.Logging.ILogger<PresenceWatch> logger)
    {
        (_dispatcher, _registry, _cluster, _notices, _time) = (dispatcher, registry, cluster, notices, time);
        _faults = new FaultBorder("presence", logger, meter);
        registry.Changed = OnConsumer;
        _interests = new Interests(time);
        cluster.AnswerWith(Question, AnswerAsync);
        cluster.AnswerWith(QuestionOnce, AnswerOnceAsync);
    }

    /// <summary>The consumers of a queue now.</summary>
    public async ValueTask<PresenceContract> ListAsync(QueueName queue)
    {
        var all = await AskAsync(QuestionOnce, queue);
        return new PresenceContract
        {
            Queue = queue.Value,
            Count = all.Count,
            Consumers = [.. all.Values.OrderBy(static consumer => consumer.Id).Take(PresenceContract.ListedMax)],
        };
    }

    /// <summary>
    /// The state, and then each change. After a change that found no room, because the reader was slow, the state again. Ends when the
    /// token is cancelled.
    /// </summary>
    public async IAsyncEnumerable<PresenceEvent> WatchAsync(QueueName queue, [EnumeratorCancellation] CancellationToken cancelled)
    {
        var stream = new PresenceStream();
        var board = await OpenAsync(queue);
        try
        {
            yield return board.Add(stream);
            while (await HasEventsAsync(stream, cancelled))
            {
                while (stream.Events.TryRead(out var happened))
                {
                    yield return happened;
                }

                if (stream.TakeMissed())
                {
                    yield return board.State();
                }
            }
        }
        finally
        {
            if (board.Leave(stream))
            {
                _ = _boards.TryRemove(KeyValuePair.Create(queue, board));
            }
        }
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings)
    {
        if (_boards.TryGetValue(queue, out var board))
        {
            board.Send(PresenceEvent.Of(
                new PresenceContract { Event = "settings", Queue = queue.Value, Settings = SettingsContract.Of(queue, settings) }));
        }
    }

    public void OnDeleted(QueueName queue)
    {
        if (_boards.TryGetValue(queue, out var board))
        {
            board.Send(PresenceEvent.Of(new PresenceContract { Event = "deleted", Queue = queue.Value }));
        }
    }

    public void OnReady(QueueName queue)
    {
    }

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt)
    {
    }

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
    }

    private static async ValueTask<bool> HasEventsAsync(PresenceStream stream, CancellationToken cancelled)
    {
        try
        {
            return await stream.Events.WaitToReadAsync(cancelled);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static string Topic(QueueName queue) => $"presence:{queue.Value}";

    private async ValueTask<PresenceBoard> OpenAsync(QueueName queue)
    {
        while (true)
        {
            var board = _boards.GetOrAdd(queue, static queue => new PresenceBoard(queue));
            if (board.TryEnter(out var isFirst))
            {
                if (isFirst)
                {
                    _ = KeepAsync(queue, board);
                }

                await board.Complete;
                return board;
            }

            // Its last watcher is just leaving.
            _ = _boards.TryRemove(KeyValuePair.Create(queue, board));
        }
    }

    /// <summary>Keeps a board right for as long as somebody watches it.</summary>
    private async Task KeepAsync(QueueName queue, PresenceBoard board)
    {
        try
        {
            await using var notices = await _notices.ListenAsync(Topic(queue), notice => Hear(board, notice));
            using var timer = new PeriodicTimer(CheckInterval, _time);
            do
            {
                await CheckAsync(queue, board);
            }
            while (await timer.WaitForNextTickAsync() && !board.IsClosed);
        }
        catch (Exception e)
        {
            // A border: nobody waits for this.
            _faults.Report(queue, e);
        }
        finally
        {
            board.GiveUp();
        }
    }

    private async ValueTask CheckAsync(QueueName queue, PresenceBoard board)
    {
        try
        {
            board.BeginCheck();
            board.EndCheck(await AskAsync(Question, queue), IsOwn);
        }
        catch (Exception e)
        {
            // A border: an answer that cannot be read must not end the checks that follow.
            _faults.Report(queue, e);
        }
    }

    private async ValueTask<Dictionary<long, PresentConsumerContract>> AskAsync(string question, QueueName queue)
    {
        var found = new Dictionary<long, PresentConsumerContract>();
        foreach (var answer in await _cluster.AskAsync($"{question}\n{queue.Value}"))
        {
            foreach (var consumer in JsonSerializer.Deserialize(answer, ContractContext.Default.PresentConsumerContractArray) ?? [])
            {
                found[consumer.Id] = consumer;
            }
        }

        foreach (var consumer in _dispatcher.ListConsumers(queue))
        {
            found[consumer.Number] = PresentConsumerContract.Of(consumer);
        }

        return found;
    }

    /// <summary>The answer to another node; from then on it gets notices for a while.</summary>
    private ValueTask<byte[]> AnswerAsync(string queue)
    {
        _ = _interests.Renew(QueueName.Parse(queue));
        _interests.Sweep();
        return AnswerOnceAsync(queue);
    }

    private ValueTask<byte[]> AnswerOnceAsync(string queue) => new(JsonBuffer.Write(
        [.. _dispatcher.ListConsumers(QueueName.Parse(queue)).Select(PresentConsumerContract.Of)],
        ContractContext.Default.PresentConsumerContractArray));

    /// <summary>A consumer of this node came or left.</summary>
    private void OnConsumer(Consumer consumer, bool joined)
    {
        if (_boards.TryGetValue(consumer.Queue, out var board))
        {
            if (joined)
            {
                board.Join(PresentConsumerContract.Of(consumer));
            }
            else
            {
                board.Leave(consumer.Number);
            }
        }

        if (_interests.Has(consumer.Queue))
        {
            var change = new PresenceContract
            {
                Event = joined ? "joined" : "left",
                Queue = consumer.Queue.Value,
                Consumer = PresentConsumerContract.Of(consumer),
            };
            _notices.Send(Topic(consumer.Queue), JsonBuffer.Write(change, ContractContext.Default.PresenceContract));
        }
    }

    private void Hear(PresenceBoard board, ReadOnlyMemory<byte> notice)
    {
        // This node knows its own consumers without a notice, which may be older.
        if (JsonSerializer.Deserialize(notice.Span, ContractContext.Default.PresenceContract) is { Consumer: { } consumer } change
            && !IsOwn(consumer.Id))
        {
            if (change.Event == "joined")
            {
                board.Join(consumer);
            }
            else
            {
                board.Leave(consumer.Id);
            }
        }
    }

    private bool IsOwn(long number) => number >> INodes.NumberBits == _registry.NumberBase >> INodes.NumberBits;
}
