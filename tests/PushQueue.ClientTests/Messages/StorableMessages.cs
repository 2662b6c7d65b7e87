using System.Text;
using PushQueue.Client;

namespace PushQueue.ClientTests.Messages;

/// <summary>Bodies that the server stores and that are hard to read: depths, halves of surrogate pairs, sizes, types, encodings,
/// numbers.</summary>
internal static class StorableMessages
{
    private const string Json = "application/json";
    private const string Text = "text/plain";
    private const string Bytes = "application/octet-stream";

    public static IReadOnlyList<StorableMessage> All { get; } =
    [
        .. Depths(), .. Surrogates(), .. Sizes(), .. Types(), .. Encodings(), .. Numbers(),

        // The last one shows that the ones before did not end the stream.
        new("last", Text, "last"u8.ToArray()),
    ];

    public static IEnumerable<PutMessage> ToPut() =>
        All.Select(message => new PutMessage(message.Body, message.ContentType, new PutOptions { Id = message.Id }));

    private static IEnumerable<StorableMessage> Depths()
    {
        foreach (var depth in (int[])[1, 32, 60, 61, 62, 63, 64, 65, 66, 100, 256, 510, 511, 512])
        {
            yield return Valid($"list-{depth}", new string('[', depth) + new string(']', depth));
            yield return Valid($"object-{depth}", string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth));
        }

        // Deeper than the server reads JSON.
        yield return new("list-600", Json, Encoding.ASCII.GetBytes(new string('[', 600) + new string(']', 600)));
        yield return new("list-open", Json, Encoding.ASCII.GetBytes(new string('[', 100_000)));
    }

    private static IEnumerable<StorableMessage> Surrogates() =>
    [
        Valid("high", """["ab\ud83d"]"""[1..^1]),
        Valid("low", """["\ude00ab"]"""[1..^1]),
        Valid("swapped", """["\ude00\ud83d"]"""[1..^1]),
        Valid("two-highs", """["\ud83d\uD83D\ude00\\ud83d"]"""[1..^1]),
        Valid("pair", """["\ud83d\ude00"]"""[1..^1]),
        Valid("nul", """["\u0000"]"""[1..^1]),
        Valid("in-a-list", """["ab\ud83d","\ude00"]"""),
        Valid("in-a-name", """{"\ud83d":"\ude00","event":"close"}"""),
        new("raw-surrogate", Text, [0x61, 0xED, 0xA0, 0xBD]),
    ];

    private static IEnumerable<StorableMessage> Sizes()
    {
        foreach (var size in (int[])[0, 1, 65_535, 65_536, 65_537, 1_048_576])
        {
            yield return new($"bytes-{size}", Bytes, Enumerable.Range(0, size).Select(i => (byte)(i * 7)).ToArray());
            yield return new($"text-{size}", Text, Enumerable.Repeat((byte)'x', size).ToArray());
        }

        yield return Valid("json-1000000", $"[{new string(' ', 1_000_000)}]");
    }

    private static IEnumerable<StorableMessage> Types()
    {
        foreach (var type in (string[])[
            "application/problem+json", "text/json", "Application/JSON", "application/json; charset=utf-8", "text/html",
            "text/plain; charset=latin1",
            "application/xml", "image/png", "x", "!", "a/b; c=\"d, e\""])
        {
            yield return new($"object as {type}", type, """{"a":1}"""u8.ToArray());
        }

        yield return new("no-json", Json, "{oops"u8.ToArray());
        yield return new("empty-json", Json, []);
        yield return new("text-as-problem", "application/problem+json", "oops"u8.ToArray());
    }

    private static IEnumerable<StorableMessage> Encodings() =>
    [
        new("all-bytes", Bytes, Enumerable.Range(0, 256).Select(i => (byte)i).ToArray()),
        new("all-bytes-as-text", Text, Enumerable.Range(0, 256).Select(i => (byte)i).ToArray()),
        new("latin1-as-json", Json, [(byte)'"', 0xE9, (byte)'"']),
        new("utf16", Text, Encoding.Unicode.GetBytes("\uFEFFab")),
        new("byte-order-mark", Text, [0xEF, 0xBB, 0xBF, (byte)'a']),
        new("line-ends", Text, "a\r\nb\rc\nd\u0085e\u2028f\u2029g\0h\u001b"u8.ToArray()),
        Valid("line-separators", "[\"a\u2028b\u2029c\u0085d\"]"),
        Valid("several-lines", "{\r\n\t\"a\": [\n1,\r2 ]\n}"),
        new("looks-like-an-event", Text, "data: x\n\nid: 7\n\n"u8.ToArray()),
        Valid("looks-like-a-close", """{"event":"close","code":"queue-deleted","reconnect":false}"""),
        Valid("looks-like-an-answer", """{"ok":true,"error":"bad-option","queue":"x","id":7}"""),
    ];

    private static IEnumerable<StorableMessage> Numbers()
    {
        var numbers = (string[])[
            "0", "-0", "1e999", "-1E+999", "1e-999", "0.1", "9007199254740993", "12345678901234567890123456789012345678901234567890",
            new string('9', 5000),
            "true", "null"];
        return numbers.Select((number, i) => Valid($"number-{i}", number));
    }

    private static StorableMessage Valid(string id, string json) => new(id, Json, Encoding.UTF8.GetBytes(json));
}

/// <summary>A message to put.</summary>
/// <param name="Id">Its id.</param>
/// <param name="ContentType">Its content type.</param>
/// <param name="Body">Its body.</param>
internal sealed record StorableMessage(string Id, string ContentType, byte[] Body);
