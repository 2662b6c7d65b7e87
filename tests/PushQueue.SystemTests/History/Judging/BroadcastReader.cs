namespace PushQueue.SystemTests.History.Judging;

/// <summary>The observations of one broadcast consumer, over all its connections. It begins with the first offset.</summary>
internal sealed class BroadcastReader(string name, bool mayExpire, Action<FindingKind, string> find)
{
    private bool _afterReset;

    public string Name => name;

    public string Epoch { get; private set; } = "";

    /// <summary>The last offset that it got, as a message or in a gap.</summary>
    public long Last { get; private set; }

    /// <summary>Whether it asked that messages be dropped where it reads too slowly.</summary>
    public bool MayOverflow { get; set; }

    public bool HasReached(FoundLeft left) => Last == left.NextOffset - 1 && (Last == 0 || Epoch == left.Epoch);

    public void OnMessage(Arrived arrived)
    {
        if (_afterReset || Epoch.Length == 0)
        {
            Epoch = arrived.Epoch;
            Last = _afterReset ? arrived.Offset - 1 : Last;
            _afterReset = false;
        }

        if (arrived.Epoch != Epoch)
        {
            find(FindingKind.Unexplained, $"{name} got {arrived.Epoch}.{arrived.Offset} after {Epoch}.{Last} and got no reset");
            (Epoch, Last) = (arrived.Epoch, arrived.Offset);
            return;
        }

        if (arrived.Offset == Last)
        {
            find(FindingKind.Duplicated, $"{name} got the offset {arrived.Offset} twice");
        }
        else if (arrived.Offset < Last)
        {
            find(FindingKind.Reordered, $"{name} got the offset {arrived.Offset} after {Last}");
        }
        else if (arrived.Offset > Last + 1)
        {
            find(FindingKind.Hole, $"{name} got the offset {arrived.Offset} after {Last} and got no gap");
        }

        Last = Math.Max(Last, arrived.Offset);
    }

    public void OnGap(GapTold gap, bool mayReset)
    {
        if (gap.Cause == "reset")
        {
            if (!mayReset)
            {
                find(FindingKind.Unexplained, $"{name} got a new epoch though no data was lost");
            }

            _afterReset = true;
            return;
        }

        if (!(gap.Cause == "expired" ? mayExpire : gap.Cause == "overflow" && MayOverflow))
        {
            find(FindingKind.Unexplained, $"{name} got a gap from {gap.From} to {gap.To} for the cause {gap.Cause}, which it cannot have");
        }

        if (gap.From != Last + 1 || gap.To < gap.From || gap.Count != gap.To - gap.From + 1)
        {
            find(FindingKind.Hole, $"{name} stood at {Last} and got a gap of {gap.Count} from {gap.From} to {gap.To}");
        }

        Last = Math.Max(Last, gap.To);
    }
}
