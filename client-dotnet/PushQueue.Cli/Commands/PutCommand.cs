using System.CommandLine;
using System.Text;
using PushQueue.Cli.Output;
using PushQueue.Client;
using PushQueue.Client.Wire;

namespace PushQueue.Cli.Commands;

/// <summary>put: messages from arguments, a file, or lines of standard input.</summary>
internal static class PutCommand
{
    private const int LinesPerRequest = 1000;

    public static Command Make()
    {
        var queue = Shared.Queue();
        var bodies = new Argument<string[]>("body")
        {
            Description = "A message each; without any (and without --file) the lines of standard input are JSON values, one message each",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var file = new Option<FileInfo?>("--file", "-f") { Description = "The file is the message; with --lines each of its lines is one" };
        var lines = new Option<bool>("--lines") { Description = "The file holds a JSON value per line" };
        var type = new Option<string?>("--type", "-t") { Description = "The content type; else JSON where the body is an object or a list, text, or bytes" };
        var id = new Option<string?>("--id") { Description = "The message's id; putting it again stores nothing" };
        var delay = Shared.Duration("--delay", "Available after this");
        var ttl = Shared.Duration("--ttl", "Dropped when nobody took it within this time after it became available");
        var priority = new Option<int?>("--priority", "-p") { Description = "0 to 9; higher goes first" };
        var unique = new Option<string?>("--unique") { Description = "Refused while a message with that key waits" };
        var policy = new Option<string?>("--policy") { Description = "broadcast or roundrobin: the policy of the queue where it has none yet" };
        var command = new Command("put", "Puts messages") { queue, bodies, file, lines, type, id, delay, ttl, priority, unique, policy };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var name = parsed.GetValue(queue)!;
            var options = new PutOptions
            {
                Id = parsed.GetValue(id),
                Delay = parsed.GetValue(delay),
                TimeToLive = parsed.GetValue(ttl),
                Priority = parsed.GetValue(priority),
                UniqueKey = parsed.GetValue(unique),
                Policy = parsed.GetValue(policy),
            };
            if (parsed.GetValue(bodies) is { Length: > 0 } given)
            {
                foreach (var body in given)
                {
                    var message = MessageOf(Encoding.UTF8.GetBytes(body), parsed.GetValue(type), options);
                    Tell(terminal, await client.PutAsync(name, message, cancellationToken));
                }

                return ExitCodes.Done;
            }

            if (parsed.GetValue(file) is { } path && !parsed.GetValue(lines))
            {
                var body = await File.ReadAllBytesAsync(path.FullName, cancellationToken);
                Tell(terminal, await client.PutAsync(name, MessageOf(body, parsed.GetValue(type), options), cancellationToken));
                return ExitCodes.Done;
            }

            if (options.Id is not null || options.UniqueKey is not null)
            {
                throw new UsageException("--id and --unique belong to one message; give it as an argument or as --file.");
            }

            await using var input = parsed.GetValue(file) is { } source ? source.OpenRead() : Console.OpenStandardInput();
            await PutLinesAsync(client, name, input, options, terminal, cancellationToken);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task PutLinesAsync(
        PushQueueClient client, string queue, Stream input, PutOptions options, Terminal terminal, CancellationToken cancellationToken)
    {
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

            batch.Add(new PutMessage(JsonOf(line, number), "application/json", options));
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

    private static byte[] JsonOf(string line, long number)
    {
        var bytes = Encoding.UTF8.GetBytes(line);
        return JsonLimits.IsJson(bytes) ? bytes : throw new UsageException($"Line {number} is no JSON value; what came before it may have been put.");
    }

    private static void Tell(Terminal terminal, PutResult result) =>
        terminal.Done(result.Duplicate ? $"{result.Id} (known already, nothing stored)" : result.Id, result);

    private static PutMessage MessageOf(byte[] body, string? type, PutOptions options) =>
        new(body, type ?? TypeOf(body), options);

    private static string TypeOf(byte[] body) =>
        body.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..] && JsonLimits.IsJson(body) ? "application/json"
            : System.Text.Unicode.Utf8.IsValid(body) ? "text/plain"
            : "application/octet-stream";
}
