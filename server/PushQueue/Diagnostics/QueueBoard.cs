using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>All queues at one moment.</summary>
/// <param name="Tick">The number of the latest sample of the rates.</param>
/// <param name="At">When.</param>
/// <param name="Rows">In the order of their names.</param>
/// <param name="Sums">Over all of them.</param>
internal sealed record QueueBoard(long Tick, DateTimeOffset At, BoardRow[] Rows, BoardSums Sums)
{
    /// <summary>The board as somebody sees it who may see only some queues.</summary>
    public QueueBoard Only(Func<QueueName, bool> visible)
    {
        var sums = default(BoardSums);
        var rows = new List<BoardRow>();
        foreach (var row in Rows)
        {
            if (visible(row.Info.Name))
            {
                rows.Add(row);
                sums.Add(row);
            }
        }

        sums.Queues = rows.Count;
        return this with { Rows = [.. rows], Sums = sums };
    }
}

/// <summary>One queue of the board.</summary>
/// <param name="Info">The queue.</param>
/// <param name="Rate">Its rates.</param>
/// <param name="Consumers">Connected to any node.</param>
/// <param name="Dead">Messages in its dead-letter queue.</param>
internal readonly record struct BoardRow(QueueInfo Info, QueueRate Rate, int Consumers, long Dead);

/// <summary>
/// Sums over all queues. Messages of dead-letter queues count as <see cref="Dead"/> only: they wait for a person, not for a consumer.
/// </summary>
internal record struct BoardSums
{
    public int Queues { get; set; }

    public long Ready { get; set; }

    public long Delayed { get; set; }

    public long Leased { get; set; }

    /// <summary>Messages in dead-letter queues.</summary>
    public long Dead { get; set; }

    public long Consumers { get; set; }

    public double PutPerSecond { get; set; }

    public double DeliveredPerSecond { get; set; }

    /// <summary>Adds what a queue holds and does; not the queue itself to <see cref="Queues"/>.</summary>
    public void Add(in BoardRow row)
    {
        if (row.Info.Name.IsDeadLetter)
        {
            Dead += row.Info.Waiting;
        }
        else
        {
            Ready += row.Info.Ready;
            Delayed += row.Info.Delayed;
            Leased += row.Info.Leased;
        }

        Consumers += row.Consumers;
        PutPerSecond += row.Rate.Put;
        DeliveredPerSecond += row.Rate.Delivered;
    }
}
