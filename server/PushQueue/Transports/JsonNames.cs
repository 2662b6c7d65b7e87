using System.Text.Json;

namespace PushQueue.Transports;

/// <summary>Reads the names of fields. A name that the API knows becomes a shared string instead of a new one.</summary>
internal static class JsonNames
{
    private const int LengthMax = 16;

    /// <summary>Every name that commands, envelopes, options and settings have.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "cmd", "queue", "ref", "id", "receipt", "items", "value", "values", "body", "contentType", "encoding", "count", "wait", "worker",
            "ttr",
        "delay", "at", "ttl", "priority", "unique", "key", "headers", "where", "maxAttempts", "retryDelay", "traceparent", "waitForAck",
            "error", "unstarted", "policy",
        "status", "started", "ack", "prefetch", "format", "from", "overflow", "grace", "consumer", "lastEventId", "offset", "attempt",
        "enqueuedAt", "leasedUntil", "state", "availableAt", "expiresAt", "lastError", "lastWorker", "looks", "deadLetter", "history",
        "dedupWindow", "maxMessages", "maxBytes", "messages", "age",
    ];

    private static readonly (byte[] Utf8, string Text)[][] ByLength = Group(All);

    /// <summary>The name at which the reader stands; false where it is not valid Unicode.</summary>
    public static bool TryRead(ref Utf8JsonReader reader, out string name)
    {
        // hot path: every field of a command.
        if (!reader.ValueIsEscaped && !reader.HasValueSequence && reader.ValueSpan.Length <= LengthMax)
        {
            foreach (var (utf8, text) in ByLength[reader.ValueSpan.Length])
            {
                if (reader.ValueSpan.SequenceEqual(utf8))
                {
                    name = text;
                    return true;
                }
            }
        }

        return JsonText.TryReadName(ref reader, out name);
    }

    private static (byte[] Utf8, string Text)[][] Group(IReadOnlyList<string> names)
    {
        var groups = new (byte[], string)[LengthMax + 1][];
        for (var length = 0; length < groups.Length; length++)
        {
            groups[length] = [.. names.Where(name => name.Length == length)
                .Select(static name => (System.Text.Encoding.ASCII.GetBytes(name), name))];
        }

        return groups;
    }
}
