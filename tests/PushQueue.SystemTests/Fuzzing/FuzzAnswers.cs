using System.Globalization;
using System.Text;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>Reads answers over a <see cref="FuzzSocket"/> and reports those that no request may cause.</summary>
internal sealed class FuzzAnswers(FuzzMemory memory, FuzzFindings findings)
{
    private const int BytesMax = 2 * 1024 * 1024;

    /// <summary>Statuses of 500 and above that a documented state causes, by the text that the answer must contain.</summary>
    private static readonly (int Status, string Text)[] Documented =
    [
        (503, "too-many-waiting"),
        (503, "store-unavailable"),
        (508, "push-loop"),

        // The web server's own answer to a version of HTTP that it does not speak.
        (505, ""),
    ];

    private long _count;

    /// <summary>Answers by status.</summary>
    public SortedDictionary<int, long> Statuses { get; } = [];

    public long Count => Interlocked.Read(ref _count);

    /// <summary>Reads until the answers seem complete; the status of the last one, 0 without any.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="expected">How many answers are to come.</param>
    /// <param name="milliseconds">How long nothing may come.</param>
    public async Task<int> ReadAsync(FuzzSocket socket, int expected, int milliseconds)
    {
        var text = new StringBuilder();
        var status = 0;
        while (text.Length < BytesMax)
        {
            var bytes = await socket.ReceiveAsync(milliseconds);
            if (bytes is not { Length: > 0 })
            {
                break;
            }

            text.Append(Encoding.Latin1.GetString(bytes));
            if (text.Length < BytesMax && Complete(text.ToString()) >= expected)
            {
                break;
            }
        }

        var all = text.ToString();
        memory.Learn(all);
        for (var at = 0; at >= 0 && (at = all.IndexOf("HTTP/1.", at, StringComparison.Ordinal)) >= 0; at += 8)
        {
            // Not in the middle of a body that repeats a request.
            var begins = (at == 0 || all[at - 1] is '\n' or '}') && at + 12 <= all.Length;
            if (begins && int.TryParse(all.AsSpan(at + 9, 3), CultureInfo.InvariantCulture, out var found))
            {
                status = found;
                Check(found, all[at..Math.Min(all.Length, at + 2000)], socket.Trace);
            }
        }

        return status;
    }

    /// <summary>The same over HTTP/2; false at the end of the connection.</summary>
    public async Task<bool> ReadFramesAsync(FuzzSocket socket, int milliseconds)
    {
        var received = new List<byte>();
        byte[]? bytes;
        while ((bytes = await socket.ReceiveAsync(milliseconds)) is { Length: > 0 } && received.Count < BytesMax)
        {
            received.AddRange(bytes);
        }

        byte[] all = [.. received];
        memory.Learn(Encoding.Latin1.GetString(all));
        foreach (var (status, text) in FuzzHttp2.Answers(all))
        {
            Check(status, text, socket.Trace);
        }

        return bytes is not null;
    }

    private void Check(int status, string text, FuzzTrace trace)
    {
        _ = Interlocked.Increment(ref _count);
        lock (Statuses)
        {
            Statuses[status] = Statuses.GetValueOrDefault(status) + 1;
        }

        if (status >= 500 && !Array.Exists(Documented, one => one.Status == status && text.Contains(one.Text, StringComparison.Ordinal)))
        {
            findings.Add($"An answer has the status {status}", text, trace);
        }
    }

    /// <summary>The number of whole answers at the beginning of a text; streams are never whole.</summary>
    private static int Complete(string text)
    {
        var count = 0;
        for (var at = 0; at < text.Length; count++)
        {
            var head = text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
            if (head < 0)
            {
                return count;
            }

            var headers = text[at..head];
            at = head + 4;
            if (headers.Contains("\r\nTransfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            {
                var end = text.IndexOf("0\r\n\r\n", at, StringComparison.Ordinal);
                if (end < 0)
                {
                    return count;
                }

                at = end + 5;
                continue;
            }

            var length = headers.IndexOf("\r\nContent-Length: ", StringComparison.OrdinalIgnoreCase);
            if (length >= 0)
            {
                var line = headers[(length + 18)..].Split('\r')[0];
                at += int.Parse(line, CultureInfo.InvariantCulture);
                if (at > text.Length)
                {
                    return count;
                }
            }
            else if (!headers.Contains(" 204 ", StringComparison.Ordinal) && !headers.Contains(" 304 ", StringComparison.Ordinal)
                && !headers.Contains(" 101 ", StringComparison.Ordinal))
            {
                // A stream, or the beginning of an interim answer.
                return headers.Contains(" 100 ", StringComparison.Ordinal) ? count - 1 : count;
            }
        }

        return count;
    }
}
