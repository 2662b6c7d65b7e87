using System.Globalization;

namespace PushQueue.Delivery.Encoding;

/// <summary>Where a stream over many queues is in one of them.</summary>
/// <param name="Kind">How to read the other two.</param>
/// <param name="Epoch">Of <see cref="SetPositionKind.Epoch"/> only.</param>
/// <param name="Offset">The last offset seen, or counted from the queue's first message; 0 before the first one.</param>
internal readonly record struct SetPosition(SetPositionKind Kind, string Epoch, long Offset)
{
    /// <summary>Before all that history holds.</summary>
    public static SetPosition Earliest { get; } = new(SetPositionKind.Earliest, "", 0);

    /// <summary>Before the first message of a queue that has none yet, or that appeared later.</summary>
    public static SetPosition First { get; } = Of("", 0);

    /// <summary>The epoch as a number; 0 for one that no store makes.</summary>
    public uint EpochNumber =>
        uint.TryParse(Epoch, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <param name="epoch">Empty or <see cref="Cursor.NewQueue"/> for a queue that has none yet.</param>
    /// <param name="offset">The last offset seen.</param>
    public static SetPosition Of(string epoch, long offset) => epoch.Length == 0 || epoch == Cursor.NewQueue
        ? new SetPosition(SetPositionKind.New, "", offset)
        : new SetPosition(SetPositionKind.Epoch, epoch, offset);

    /// <summary>Where a consumer begins that resumes here.</summary>
    public StartPosition Start => Kind switch
    {
        SetPositionKind.Earliest => StartPosition.Earliest,
        SetPositionKind.New => new StartPosition(StartKind.Cursor, Cursor.NewQueue, Offset + 1),
        _ => new StartPosition(StartKind.Cursor, Epoch, Offset + 1),
    };
}

/// <summary>The kinds of positions; their values stand in cursors.</summary>
internal enum SetPositionKind
{
    /// <summary>An offset of an epoch.</summary>
    Epoch = 0,

    /// <summary>An offset that counts from the queue's first message, whatever epoch it has.</summary>
    New = 1,

    /// <summary>The beginning of history, whose offset is not known yet.</summary>
    Earliest = 2,
}
