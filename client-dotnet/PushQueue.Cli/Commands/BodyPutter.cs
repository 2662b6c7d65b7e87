using System.Text;
using PushQueue.Cli.Output;
using PushQueue.Client;
using PushQueue.Client.Wire;

namespace PushQueue.Cli.Commands;

/// <summary>Puts bodies, however they were given, with the same options.</summary>
internal sealed class BodyPutter(PushQueueClient client, Terminal terminal, string queue, PutOptions options, string? type)
{
    private const int LinesPerRequest = 1000;

    /// <summary>All of a stream as one message.</summary>
    public async Task WholeAsync(Stream input, CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        await using (input)
        {
            await input.CopyToAsync(body, cancellationToken);
        }

        await PutAsync(body.ToArray(), cancellationToken);
    }

    /// <summary>Each text as one message.</summary>
    public async Task TextsAsync(string[] texts, CancellationToken cancellationToken)
    {
        ThrowIfForOne(texts.Length);
        foreach (var text in texts)
        {
            await PutAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
        }
    }

    /// <summary>Each line as one message: text where the content type says so, else a JSON value.</summary>
    public async Task LinesAsync(Stream input, CancellationToken cancellationToken)
    {
        ThrowIfForOne(int.MaxValue);
        using var reader = new StreamReader(input, Encoding.UTF8);
        var total = 0L;
        var number = 0L;
        var batch = new List<PutMessage>();
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            batch.Add(MessageOf(line, number));
            if (batch.Count == LinesPerRequest)
            {
                await FlushAsync();
            }
        }

        await FlushAsync();
        Terminal.ProgressEnds();
        terminal.Done(Said(total), new { queue, count = total });

        async Task FlushAsync()
        {
            await client.PutManyAsync(queue, batch, cancellationToken);
            total += batch.Count;
            batch.Clear();
            Terminal.Progress(Said(total));
        }

        static string Said(long count) => $"{Tables.Number(count)} {(count == 1 ? "message" : "messages")} put";
    }

    private void ThrowIfForOne(int count)
    {
        if (count > 1 && (options.Id ?? options.UniqueKey) is not null)
        {
            throw new UsageException(
                "--id and --unique belong to one message; give one message as an argument, as --file, or as - for standard input.");
        }

        if (count == int.MaxValue && options.WaitForAck is not null)
        {
            throw new UsageException(
                "--wait-for-ack belongs to one message; give messages as arguments, as --file, or as - for standard input.");
        }
    }

    private PutMessage MessageOf(string line, long number)
    {
        var body = Encoding.UTF8.GetBytes(line);
        if (type is not null && !type.Contains("json", StringComparison.OrdinalIgnoreCase))
        {
            return new PutMessage(body, type, options);
        }

        return JsonLimits.IsJson(body)
            ? new PutMessage(body, type ?? "application/json", options)
            : throw new UsageException(
                $"Line {number} is not a JSON value; the lines before it may have been put. "
                + "For lines of text give --type text/plain, for one message give -.");
    }

    private async Task PutAsync(byte[] body, CancellationToken cancellationToken)
    {
        var result = await client.PutAsync(queue, new PutMessage(body, type ?? TypeOf(body), options), cancellationToken);
        terminal.Done(result.Duplicate ? $"{result.Id} (already known, nothing stored)" : result.Id, result);
    }

    private static string TypeOf(byte[] body) =>
        body.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..] && JsonLimits.IsJson(body) ? "application/json"
            : System.Text.Unicode.Utf8.IsValid(body) ? "text/plain"
            : "application/octet-stream";
}
