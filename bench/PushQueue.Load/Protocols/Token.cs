using System.Buffers.Text;

namespace PushQueue.Load.Protocols;

/// <summary>
/// The mark every message carries: <c>@@SEQ:SENDTIME@@</c>. It is searched for in whatever bytes a server sends, so one client measures
/// any envelope, and no envelope is ever parsed.
/// </summary>
internal static class Token
{
    /// <summary>Longer than any token: two marks of two bytes, two numbers of up to 20 digits and the colon between them.</summary>
    internal const int BytesMax = 48;

    internal enum Outcome
    {
        Complete,
        Incomplete,
        NotAToken,
    }

    /// <summary>Fills <paramref name="body"/> exactly: the token, then padding.</summary>
    internal static void WriteBody(Span<byte> body, long sequence, long sentAt)
    {
        body[0] = body[1] = (byte)'@';
        Utf8Formatter.TryFormat(sequence, body[2..], out var digits);
        var at = 2 + digits;
        body[at++] = (byte)':';
        Utf8Formatter.TryFormat(sentAt, body[at..], out digits);
        at += digits;
        body[at++] = (byte)'@';
        body[at++] = (byte)'@';
        body[at..].Fill((byte)'x');
    }

    /// <summary>Reads a token at the very start of <paramref name="bytes"/>.</summary>
    internal static Outcome TryRead(ReadOnlySpan<byte> bytes, out long sequence, out long sentAt, out int length)
    {
        sequence = sentAt = 0;
        length = 0;
        return Expect(bytes, (byte)'@', ref length)
            ?? Expect(bytes, (byte)'@', ref length)
            ?? Number(bytes, ref length, ref sequence)
            ?? Expect(bytes, (byte)':', ref length)
            ?? Number(bytes, ref length, ref sentAt)
            ?? Expect(bytes, (byte)'@', ref length)
            ?? Expect(bytes, (byte)'@', ref length)
            ?? Outcome.Complete;
    }

    /// <summary>The sequence number of the first token in <paramref name="bytes"/>, or -1.</summary>
    internal static long SequenceIn(ReadOnlySpan<byte> bytes)
    {
        var start = bytes.IndexOf("@@"u8);
        return start >= 0 && TryRead(bytes[start..], out var sequence, out _, out _) == Outcome.Complete ? sequence : -1;
    }

    private static Outcome? Expect(ReadOnlySpan<byte> bytes, byte wanted, ref int at)
    {
        if (at == bytes.Length)
        {
            return Outcome.Incomplete;
        }

        return bytes[at++] == wanted ? null : Outcome.NotAToken;
    }

    private static Outcome? Number(ReadOnlySpan<byte> bytes, ref int at, ref long value)
    {
        var first = at;
        for (; at < bytes.Length && (uint)(bytes[at] - '0') <= 9; at++)
        {
            value = (value * 10) + (bytes[at] - '0');
        }

        if (at == bytes.Length)
        {
            return at - first > 20 ? Outcome.NotAToken : Outcome.Incomplete;
        }

        return at > first && at - first <= 20 ? null : Outcome.NotAToken;
    }
}
