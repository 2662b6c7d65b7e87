using PushQueue.SystemTests.History.Judging;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>
/// The place of one queue in a stream over many, over all connections. After a reconnect the cursor may be older than what was read;
/// docs/protocol.md says that a reader passes over what it has seen. This one does so only at the begin of a connection, before the first
/// new message of the queue: a repetition behind that is a fault and is shown to the judge.
/// </summary>
internal sealed class ManyPlace(string queue)
{
    private bool _isBeyond;

    /// <summary>The last offset, of a message or in a gap.</summary>
    public long Last { get; private set; }

    public string Epoch { get; private set; } = "";

    /// <summary>The queue joins a connection.</summary>
    public void OnJoined(string epoch)
    {
        Epoch = epoch;
        _isBeyond = false;
    }

    /// <summary>Whether the message is not a repetition that the protocol allows.</summary>
    public bool IsNew(long offset)
    {
        if (offset <= Last && !_isBeyond)
        {
            return false;
        }

        _isBeyond = true;
        Last = Math.Max(Last, offset);
        return true;
    }

    /// <summary>The gap as far as it is new; null where the consumer had reached its end before the reconnect.</summary>
    public GapTold? NewOf(GapTold gap)
    {
        if (gap.Cause == "reset")
        {
            (Last, _isBeyond) = (0, true);
            return gap;
        }

        // The judge compares the count with the numbers, so only a gap whose count is right may be cut.
        var mayBeCut = !_isBeyond && gap.Count == gap.To - gap.From + 1;
        if (mayBeCut && gap.To <= Last)
        {
            return null;
        }

        var told = mayBeCut && gap.From <= Last ? gap with { From = Last + 1, Count = gap.To - Last } : gap;
        _isBeyond = true;
        Last = Math.Max(Last, gap.To);
        return told;
    }

    public override string ToString() => $"{queue} at {Epoch}.{Last}";
}
