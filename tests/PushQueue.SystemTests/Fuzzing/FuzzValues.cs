using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>
/// Makes values by the names under which they are sent: mostly ones that the server accepts, sometimes ones that readers trip over. Ids,
/// receipts and tokens come from earlier answers, so that requests reach messages and leases that exist.
/// </summary>
internal sealed partial class FuzzValues(Random random, FuzzTables tables, FuzzMemory memory)
{
    private static readonly string[] Queues =
        ["a", "b", "work", "news", "a.dead", "work.dead", "new", "ü", "x y", "100%", "q?x", "a&b", "€"];

    private static readonly string[] HostileTexts =
    [
        "", " ", ".", "..", "/", "%", "%2F", "%00", "\0", "\u0001", "\r\n", "\u007f", "é", "€", "😀", "\ud83d", "\ude00", "\uffff", "\u202e",
        "null", "undefined", "NaN", "true", "[]", "{}", "\"", "'", "\\", "<script>", "]]>", "&amp;", "--", ";", "*", "..dead", ".dead",
        ".dead.dead", "Ǆ",
        "\u2028", "\ufeff", "new.0", "old.17", "stop", "__proto__", "constructor",
    ];

    private static readonly string[] Numbers = ["0", "1", "2", "3", "5", "9", "10", "16", "100"];

    private static readonly string[] OddNumbers =
    [
        "1000", "1001", "10000", "-0", "-1", "1.5", "2.0", "1e0", "1e1", "1e400", "-1e400", "0.1", "00", "+1", "0x10", "１", "2147483647",
        "2147483648", "4294967296", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551616",
        "99999999999999999999999999999999", "1E-400", "", " 1", "1 ", "NaN", "Infinity", "-Infinity",
    ];

    private static readonly string[] Durations =
        ["0", "10ms", "50ms", "200ms", "100ms", "500ms", "1s", "1.5", "2s", "3", "0.2", "1m", "exponential:10ms..1s"];

    private static readonly string[] OddDurations =
    [
        "7d", "3650d", "3651d", "24h", "25h", "-1s", "1e3", "1e400s", "0.0000000001s", "9223372036854775807", "9223372036854775807d", "ms",
        "s", "1 s", "1S", "１s", "exponential:1s..10ms", "exponential:0..0", "exponential:..", "exponential:1s", "exponential:1ms..3650d",
        "NaN",
    ];

    private static readonly string[] Times =
        ["0", "1", "1700000000", "1700000000000", "2026-01-01T00:00:00Z", "latest", "earliest", "new.0", "new.1", "old.17"];

    private static readonly string[] OddTimes =
    [
        "99999999999", "100000000000", "253402300799", "253402300800", "-1", "-62135596801", "1e400", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-14:00", "2026-02-30T00:00:00Z",
        "2026-06-30T23:59:60Z", "2026-01-01T24:00:00Z", "2026-01-01", "2030-01-01T00:00:00", "now", "NaN",
    ];

    /// <summary>By name: what is accepted, and what is not.</summary>
    private static readonly Dictionary<string, (string[] Valid, string[] Odd)> Choices = new(StringComparer.Ordinal)
    {
        ["policy"] = (["broadcast", "roundrobin"], ["Roundrobin", "unknown", "1"]),
        ["status"] = (["start", "started", "start", "stop"], ["stopped", "0", "1"]),
        ["overflow"] = (["disconnect", "drop-oldest", "latest", "reject"], ["none"]),
        ["ack"] = (["auto", "manual"], ["Manual", "none"]),
        ["format"] = (["envelope", "raw"], ["json"]),
        ["state"] = (["ready", "delayed", "leased", "dead"], ["gone"]),
        ["encoding"] = (["base64"], ["base64url", "utf-8", "identity"]),
        ["envelope"] = (["true", "false"], ["1", "0", "", "yes"]),
        ["unstarted"] = (["true", "false"], ["1", "", "2"]),
        ["deadLetter"] = (["true", "false"], ["1", "null"]),
        ["with_desc"] = (["1", "0"], ["true"]),
        ["contentType"] = (
            ["text/plain", "application/json", "application/octet-stream"], ["a/b;c=\"", "text/plain; charset=utf-16", "x", "\r\n"]),
        ["callback"] = (["show", "page.show"], ["alert(1)//", "a.b.c.d", "..", "__proto__"]),

        // No longer than the checks wait: a place that is kept holds its messages that long.
        ["grace"] = (["0", "1s", "500ms", "2s", "1"], ["-1", "11m", "99d", "x"]),
        ["show"] = (["all", "waiting", "busy", "unheard", "stopped", "dead"], ["none"]),
        ["sort"] = (["queue", "-queue", "policy", "ready", "-oldest", "consumers"], ["none"]),
        ["traceparent"] = (
            ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
            ["00-0-0-0", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]),
    };

    public Random Random => random;

    public FuzzTables Tables => tables;

    public FuzzMemory Memory => memory;

    /// <summary>How much is changed: 0 makes valid requests, 1 the usual mixture.</summary>
    public double Oddity { get; set; } = 1;

    public bool Chance(int percent) => random.Next(100) < percent;

    /// <summary>Whether something is to be odd that is so in so many percent of the usual mixture.</summary>
    public bool Odd(int percent) => random.Next(100) < percent * Oddity;

    public T Pick<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];

    /// <summary>A value for an option, field or part of a path of this name.</summary>
    public string Of(string name)
    {
        if (Odd(3))
        {
            return Text();
        }

        if (Choices.TryGetValue(name, out var choices))
        {
            return Odd(15) ? Pick(choices.Odd) : Pick(choices.Valid);
        }

        switch (name)
        {
            case "queue" or "topic" or "filter" or "queue_name" or "name":
                return Odd(5) ? Text() : Chance(85) ? Pick(Queues) : $"n{random.Next(40)}";
            case "id" or "key" or "unique" or "uniq" or "lastEventId" or "last_event_id" or "evs_last_event_id" or "consumer" or "token"
                or "after" or "number":
                return Odd(10) ? Text() : Chance(60) ? memory.Any(random) ?? "1" : $"{random.Next(20)}";
            case "receipt":
                return Odd(5) ? Text() : Chance(70) ? memory.Any(random) ?? Receipt() : Receipt();
            case "delay" or "ttl" or "ttr" or "wait" or "waitForAck" or "retryDelay" or "backoff" or "dedupWindow" or "age" or "rate"
                or "timeout" or "expires":
                return Odd(20) ? Pick(OddDurations) : Pick(Durations);
            case "at" or "from" or "before" or "delayed" or "max" or "expiration":
                return Odd(15) ? Pick(OddTimes) : Chance(20) ? memory.Any(random) ?? "latest" : Pick(Times);
            case "worker" or "worker_id" or "error" or "reason":
                return Odd(15) ? Text() : $"w{random.Next(5)}";
            case "url":
                return Odd(30)
                    ? Pick(["http://127.83.77.1:1/", "http://10.0.0.1/", "ftp://127.83.77.1/", "http://[::1]:1/", "//x", "http://", ""])
                    : memory.PushUrl;
            case "cmd" or "command" or "target":
                return Odd(5) ? Pick(tables.Words) : Pick(tables.Commands);
            default:
                return Odd(15) ? Text() : Chance(70) ? Number() : Pick(tables.Words);
        }
    }

    /// <summary>A name of an option or field: one of these, or now and then any word of the server.</summary>
    public string Name(IReadOnlyList<string> known) => known.Count > 0 && !Odd(8) ? Pick(known) : Odd(10) ? Text() : Pick(tables.Words);

    /// <summary>A text that readers trip over.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        for (var parts = random.Next(1, 4); parts > 0; parts--)
        {
            switch (random.Next(6))
            {
                case 0:
                    text.Append(Pick(HostileTexts));
                    break;
                case 1:
                    text.Append(Pick(tables.Words));
                    break;
                case 2:
                    text.Append(Pick(OddNumbers));
                    break;
                case 3:
                    text.Append(Pick(['a', '€', '\\', '%', '"', '\0']), Pick([1, 2, 16, 84, 85, 86, 254, 255, 256, 1000, 5000]));
                    break;
                case 4:
                    text.Append((char)random.Next(0x10000));
                    break;
                default:
                    text.Append(CultureInfo.InvariantCulture, $"t{random.Next(100)}");
                    break;
            }
        }

        return text.ToString();
    }

    public string Number() => Odd(25) ? Pick(OddNumbers) : Pick(Numbers);

    private string Receipt() => random.NextInt64().ToString("x16", CultureInfo.InvariantCulture);
}

/// <summary>Ids, receipts, cursors and tokens that answers contained.</summary>
internal sealed partial class FuzzMemory(string pushUrl)
{
    private const int Size = 512;

    private readonly ConcurrentQueue<string> _seen = new();

    /// <summary>Where the server may push jobs to.</summary>
    public string PushUrl => pushUrl;

    public string? Any(Random random)
    {
        var seen = _seen.ToArray();

        // Late ones mostly: what they name still exists.
        var from = random.Next(2) == 0 ? 0 : Math.Max(0, seen.Length - 20);
        return seen.Length == 0 ? null : seen[random.Next(from, seen.Length)];
    }

    public void Learn(string answer)
    {
        if (answer.Length > 20_000)
        {
            answer = answer[..20_000];
        }

        foreach (var match in Named().Matches(answer).Take(8))
        {
            _seen.Enqueue(match.Groups["value"].Value);
        }

        while (_seen.Count > Size && _seen.TryDequeue(out _))
        {
        }
    }

    [GeneratedRegex(
        "(\"(id|receipt|token|cursor|next|connectionToken|key)\":\\s*\"|PushQueue-(Id|Receipt): )(?<value>[^\"\\r\\n]{1,300})",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Named();
}
