using System.Text;
using PushQueue.Load.Measuring;
using PushQueue.Load.Protocols;

namespace PushQueue.Load;

/// <summary>
/// A tool that miscounts must not measure: run.sh runs this first. Streams with known tokens are cut at every byte and fed piece by
/// piece; each token must be found once, in order, however the cuts fall.
/// </summary>
internal static class SelfCheck
{
    private const int Tokens = 12;

    internal static int Run()
    {
        var plain = new StringBuilder("@ a@b @@ @@12 @@x:1@@ ");
        var chunked = new StringBuilder();
        Span<byte> body = stackalloc byte[60];
        for (var i = 0; i < Tokens; i++)
        {
            Token.WriteBody(body, i, long.MaxValue - i);
            var message = $"{{\"body\":\"{Encoding.UTF8.GetString(body)}\"}}";
            plain.Append(message);
            // Chunks of 1 to 40 bytes: most of them cut a token.
            foreach (var part in message.Chunk(1 + (i * 3)))
            {
                chunked.Append($"{part.Length:x}\r\n{new string(part)}\r\n");
            }
        }

        CutEverywhere("plain", plain.ToString(), collector => piece =>
        {
            collector.Scanner.Scan(piece);
            return piece.Length;
        });
        CutEverywhere("chunked", chunked + "0\r\n\r\n", collector => new ChunkedBody(collector.Scanner).Consume);
        CheckAnswers();
        CheckHistogram();
        Console.Error.WriteLine("self-check: tokens, chunks, answers and percentiles are counted right");
        return 0;
    }

    private delegate int Consume(ReadOnlySpan<byte> bytes);

    private static void CutEverywhere(string name, string stream, Func<Collector, Consume> open)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        for (var pieceBytes = 1; pieceBytes <= bytes.Length; pieceBytes++)
        {
            var collector = new Collector();
            var consume = open(collector);
            var start = 0;
            for (var end = Math.Min(pieceBytes, bytes.Length); start < bytes.Length; end = Math.Min(end + pieceBytes, bytes.Length))
            {
                var used = consume(bytes.AsSpan(start, end - start));
                start += used;
                if (used == 0 && end == bytes.Length)
                {
                    break;
                }
            }

            Require(
                collector.Found.SequenceEqual(Enumerable.Range(0, Tokens).Select(i => (long)i)),
                $"{name}, pieces of {pieceBytes} bytes");
        }
    }

    private static void CheckAnswers()
    {
        const string Two = "HTTP/1.1 201 Created\r\ncontent-LENGTH: 5\r\nPushQueue-Receipt: r1\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n"
            + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        var bytes = Encoding.UTF8.GetBytes(Two);
        var statuses = new List<int>();
        var at = 0;
        for (var end = 1; end <= bytes.Length; end++)
        {
            while (HttpAnswer.TryRead(bytes.AsSpan(at, end - at), out var answer, out var length))
            {
                statuses.Add(answer.Status);
                at += length;
                Require(answer.Status != 201 || (answer.Body.SequenceEqual("hello"u8)
                    && HttpAnswer.Header(answer.Head, "pushqueue-receipt:"u8).SequenceEqual("r1"u8)), "an answer's body and header");
            }
        }

        Require(statuses.SequenceEqual([201, 204, 200]) && at == bytes.Length, "answers one after another");
    }

    private static void CheckHistogram()
    {
        var histogram = new LatencyHistogram();
        for (var i = 1; i <= 1000; i++)
        {
            histogram.Add(i * 1_000_000L);
        }

        var summary = histogram.Summary();
        Require(Math.Abs(summary.P50 - 500) < 10 && Math.Abs(summary.P99 - 990) < 17 && summary.Max is 1000, "percentiles");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new LoadException($"self-check failed: {what}");
        }
    }

    private sealed class Collector : ITokenSink
    {
        internal Collector()
        {
            Scanner = new TokenScanner(this);
        }

        internal List<long> Found { get; } = [];

        internal TokenScanner Scanner { get; }

        public void OnToken(long sequence, long sentAt)
        {
            Require(sentAt == long.MaxValue - sequence, "a token's time");
            Found.Add(sequence);
        }
    }
}
