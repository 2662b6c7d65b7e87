using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PushQueue.Delivery.Encoding;

/// <summary>
/// The position by which a client resumes, opaque to it: <c>EPOCH.OFFSET</c>, the offset of the last message that it saw.
/// </summary>
internal readonly record struct Cursor(string Epoch, long Offset)
{
    /// <summary>
    /// Stands for an epoch in a cursor that was given out before the queue existed. Stores make epochs of eight hexadecimal digits, so
    /// none of them is called so. Its offsets count from the queue's first message, whatever epoch that gets.
    /// </summary>
    public const string NewQueue = "new";

    /// <summary>The cursor, or the one of a queue that has no epoch yet.</summary>
    public static Cursor Of(string epoch, long offset) => new(epoch.Length > 0 ? epoch : NewQueue, offset);

    public static bool TryParse(string? text, out Cursor cursor)
    {
        cursor = default;
        var dot = text?.LastIndexOf('.') ?? -1;
        if (dot <= 0 || !TryParseOffset(text.AsSpan(dot + 1), out var offset))
        {
            return false;
        }

        cursor = new Cursor(text![..dot], offset);
        return true;
    }

    public static bool TryParseOffset(ReadOnlySpan<char> text, out long offset) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out offset);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}.{Offset}");
}

/// <summary>Where a consumer of a broadcast queue wants to begin.</summary>
/// <param name="Kind">How to read the other two.</param>
/// <param name="Epoch">Of a cursor only; empty for a resume text that no store ever made.</param>
/// <param name="Offset">The first offset wanted.</param>
internal readonly record struct StartPosition(StartKind Kind, string Epoch, long Offset)
{
    public static StartPosition Live { get; }

    public static StartPosition Earliest { get; } = new(StartKind.Earliest, string.Empty, 0);

    public static StartPosition LatestPerKey { get; } = new(StartKind.LatestPerKey, string.Empty, 0);

    /// <summary>
    /// Reads <c>earliest</c>, <c>latest</c>, <c>latest-per-key</c>, an offset (the first that is wanted), <c>-N</c> (N messages back) or a
    /// cursor (the last that was seen).
    /// </summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out StartPosition start)
    {
        start = default;
        switch (text)
        {
            case null:
                return false;
            case "latest":
                return true;
            case "earliest":
                start = Earliest;
                return true;
            case "latest-per-key":
                start = LatestPerKey;
                return true;
        }

        if (text is ['-', .. var back])
        {
            start = new StartPosition(StartKind.Back, string.Empty, Cursor.TryParseOffset(back, out var count) ? count : 0);
            return start.Offset > 0;
        }

        if (Cursor.TryParseOffset(text, out var offset))
        {
            start = new StartPosition(StartKind.Offset, string.Empty, Math.Max(1, offset));
            return true;
        }

        if (!Cursor.TryParse(text, out var cursor))
        {
            return false;
        }

        start = After(cursor);
        return true;
    }

    /// <summary>
    /// Reads what a client sends by itself when it connects again. Any other text counts as a cursor of another epoch: refusing it would
    /// make a browser's EventSource give up for good, ignoring it would skip messages without a word.
    /// </summary>
    public static StartPosition Resume(string lastEventId) =>
        Cursor.TryParse(lastEventId, out var cursor) ? After(cursor) : new StartPosition(StartKind.Cursor, string.Empty, 1);

    private static StartPosition After(Cursor cursor) => new(StartKind.Cursor, cursor.Epoch, cursor.Offset + 1);
}

internal enum StartKind
{
    /// <summary>Everything that is broadcast from now on.</summary>
    Live = 0,

    Earliest,

    Offset,

    Cursor,

    /// <summary>So many messages before the next one as <see cref="StartPosition.Offset"/> says.</summary>
    Back,

    /// <summary>The newest message of each key, then everything that is broadcast from now on.</summary>
    LatestPerKey,
}
