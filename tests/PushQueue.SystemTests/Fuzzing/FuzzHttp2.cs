using System.Text;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>Frames of HTTP/2, made by hand: header blocks without compression, of any fields.</summary>
internal static class FuzzHttp2
{
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Settings = 4;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;
    private const int FrameHead = 9;
    private const int PayloadMax = 16_384;

    /// <summary>The bytes that open a connection. No table for compression, so that <see cref="Answers"/> needs none.</summary>
    public static readonly byte[] Preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, 0, [0, 1, 0, 0, 0, 0])];

    /// <summary>The frames of a request that was made for HTTP/1.1.</summary>
    public static byte[] Request(int stream, byte[] http1)
    {
        var end = http1.AsSpan().IndexOf("\r\n\r\n"u8);
        var lines = Encoding.Latin1.GetString(http1.AsSpan(0, end < 0 ? http1.Length : end)).Split("\r\n");
        var first = lines[0].Split(' ');
        var fields = lines[1..].Select(static line => line.Split(": ", 2)).Where(static field => field.Length == 2)
            .Select(static field => (Name: field[0].ToLowerInvariant(), Value: field[1]))
            .Where(static field => field.Name is not ("connection" or "transfer-encoding" or "upgrade" or "host"));
        return Open(
            stream,
            [
                (":method", first[0]), (":scheme", "https"), (":authority", "127.0.0.1"), (":path", first.ElementAtOrDefault(1) ?? ""),
                .. fields,
            ],
            end < 0 ? [] : http1[(end + 4)..]);
    }

    /// <summary>The frames that open a WebSocket, with what the client sends over it.</summary>
    public static byte[] Socket(
        int stream, string protocol, string target, string version, IEnumerable<(string, string)> fields, byte[] sent) =>
        [
            .. Frame(Headers, EndHeaders, stream, Block(
            [
                (":method", "CONNECT"), (":protocol", protocol), (":scheme", "https"), (":authority", "127.0.0.1"), (":path", target),
                ("sec-websocket-version", version), .. fields,
            ])),
            .. Frame(Data, 0, stream, sent[..Math.Min(sent.Length, PayloadMax)]),
        ];

    /// <summary>The statuses in what the server has sent, each with the text behind it.</summary>
    public static IEnumerable<(int Status, string Text)> Answers(byte[] received)
    {
        for (int at = 0, length; at + FrameHead <= received.Length; at += FrameHead + length)
        {
            length = (received[at] << 16) | (received[at + 1] << 8) | received[at + 2];
            var block = received.AsSpan(Math.Min(received.Length, at + FrameHead)..);
            block = block[..Math.Min(length, block.Length)];
            while (received[at + 3] == Headers && block is [>= 0x20 and < 0x40, ..])
            {
                // A change of the table's size.
                block = block[1..];
            }

            if (received[at + 3] == Headers && StatusOf(block) is var status and not 0)
            {
                yield return (status, Encoding.Latin1.GetString(received.AsSpan(at, Math.Min(received.Length - at, 2000))));
            }
        }
    }

    private static int StatusOf(ReadOnlySpan<byte> block) => block switch
    {
        [>= 0x88 and <= 0x8e, ..] => (int[])[200, 204, 206, 304, 400, 404, 500] is var known ? known[block[0] - 0x88] : 0,
        [0x08 or 0x18 or 0x48, 3, var a, var b, var c, ..] => ((a - '0') * 100) + ((b - '0') * 10) + c - '0',
        _ => 0,
    };

    private static byte[] Open(int stream, IEnumerable<(string, string)> fields, byte[] body)
    {
        var block = Block(fields);
        var frames = new List<byte>(Frame(
            Headers, (byte)(EndHeaders | (body.Length == 0 ? EndStream : 0)), stream, block[..Math.Min(block.Length, PayloadMax)]));
        for (var at = 0; at < body.Length; at += PayloadMax)
        {
            var length = Math.Min(PayloadMax, body.Length - at);
            frames.AddRange(Frame(Data, at + length == body.Length ? EndStream : (byte)0, stream, body.AsSpan(at, length)));
        }

        return [.. frames];
    }

    private static byte[] Block(IEnumerable<(string Name, string Value)> fields) =>
        [.. fields.SelectMany(static field => (byte[])[0, .. Literal(field.Name), .. Literal(field.Value)])];

    /// <summary>A text behind its length, which is an integer with a prefix of seven bits.</summary>
    private static byte[] Literal(string text)
    {
        var bytes = FuzzBodies.Bytes(text);
        var length = new List<byte> { (byte)Math.Min(bytes.Length, 127) };
        for (var rest = bytes.Length - 127; rest >= 0; rest = rest < 128 ? -1 : rest >> 7)
        {
            length.Add((byte)(rest < 128 ? rest : (rest & 127) | 128));
        }

        return [.. length, .. bytes];
    }

    private static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload) =>
        [
            (byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags,
            (byte)(stream >> 24), (byte)(stream >> 16), (byte)(stream >> 8), (byte)stream, .. payload,
        ];
}
