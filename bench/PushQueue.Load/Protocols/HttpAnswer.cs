using System.Buffers.Text;
using System.Text;

namespace PushQueue.Load.Protocols;

/// <summary>One HTTP/1.1 answer off a keep-alive connection, read in place. Only what the load clients need of HTTP.</summary>
internal ref struct HttpAnswer
{
    internal int Status { get; private set; }

    internal ReadOnlySpan<byte> Head { get; private set; }

    /// <summary>As it came: chunk sizes are still between the parts of a chunked body.</summary>
    internal ReadOnlySpan<byte> Body { get; private set; }

    internal readonly bool Succeeded => Status is >= 200 and < 300;

    /// <summary>False until all of the answer is there; <paramref name="length"/> is what it takes of <paramref name="bytes"/>.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, out HttpAnswer answer, out int length)
    {
        answer = default;
        length = 0;
        var headEnd = bytes.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
        {
            return false;
        }

        answer.Head = bytes[..(headEnd + 2)];
        answer.Status = StatusOf(bytes);
        var body = bytes[(headEnd + 4)..];
        var bodyLength = answer.Status == 204 ? 0 : BodyLength(answer.Head, body);
        if (bodyLength < 0 || bodyLength > body.Length)
        {
            return false;
        }

        answer.Body = body[..bodyLength];
        length = headEnd + 4 + bodyLength;
        return true;
    }

    internal static int StatusOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length > 12 && Utf8Parser.TryParse(bytes.Slice(9, 3), out int status, out _) ? status : 0;

    /// <param name="head">The lines of the head, each with its end.</param>
    /// <param name="name">Lower case, with the colon.</param>
    internal static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        while (!head.IsEmpty)
        {
            var end = head.IndexOf((byte)'\n');
            var line = end < 0 ? head : head[..end];
            if (line.Length > name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name))
            {
                return line[name.Length..].Trim(" \r"u8);
            }

            head = end < 0 ? default : head[(end + 1)..];
        }

        return default;
    }

    internal static bool IsChunked(ReadOnlySpan<byte> head) => Header(head, "transfer-encoding:"u8).IndexOf("chunked"u8) >= 0;

    private static int BodyLength(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        if (Utf8Parser.TryParse(Header(head, "content-length:"u8), out int length, out _))
        {
            return length;
        }

        return IsChunked(head) ? ChunkedLength(body) : 0;
    }

    private static int ChunkedLength(ReadOnlySpan<byte> body)
    {
        var at = 0;
        while (true)
        {
            var line = body[at..].IndexOf("\r\n"u8);
            if (line < 0 || !Utf8Parser.TryParse(body.Slice(at, line), out int size, out _, 'X'))
            {
                return -1;
            }

            at += line + 2 + size + 2;
            if (at > body.Length)
            {
                return -1;
            }

            if (size == 0)
            {
                return at;
            }
        }
    }
}
