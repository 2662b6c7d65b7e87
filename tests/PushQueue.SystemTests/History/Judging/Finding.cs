namespace PushQueue.SystemTests.History.Judging;

/// <summary>A promise that was not kept.</summary>
internal sealed record Finding(FindingKind Kind, string Queue, string Sentence)
{
    public override string ToString() => $"{Kind} in {Queue}: {Sentence}";
}

internal enum FindingKind
{
    /// <summary>Acknowledged and never seen, or seen and gone though nobody was done with it.</summary>
    Lost,

    /// <summary>Seen again where that is not allowed.</summary>
    Duplicated,

    /// <summary>Seen in another order than promised.</summary>
    Reordered,

    /// <summary>Offsets were skipped without a gap, or a gap was reported for messages that arrived.</summary>
    Hole,

    /// <summary>One offset for two messages, or one message under two offsets.</summary>
    OffsetReused,

    /// <summary>Seen and never put, or otherwise without a cause.</summary>
    Unexplained,

    /// <summary>Still in the queue, or not yet told, when all had time enough to come out.</summary>
    Stuck,
}
