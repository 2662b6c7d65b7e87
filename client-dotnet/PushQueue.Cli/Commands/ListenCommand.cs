using System.CommandLine;
using System.Globalization;
using PushQueue.Cli.Output;
using PushQueue.Client;

namespace PushQueue.Cli.Commands;

/// <summary>listen: what is pushed, line by line.</summary>
internal static class ListenCommand
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    public static Command Make()
    {
        var queues = new Argument<string[]>("queue")
        {
            Description = "The queue; several for one stream over all of them", Arity = ArgumentArity.ZeroOrMore,
        };
        var match = new Option<string[]>("--match")
        {
            Description = "A pattern of queues, like 'orders.*'; matching queues that are created later join",
            AllowMultipleArgumentsPerToken = false,
        };
        var transport = Transport();
        var count = new Option<int?>("--count", "-n")
        {
            Description = "End after this many; the default is to follow until Ctrl-C or the end of the queue",
        };
        var from = new Option<string?>("--from")
        {
            Description = "latest, earliest, latest-per-key, a cursor, an offset, or -N for N messages back (broadcast)",
        };
        var resume = new Option<FileInfo?>("--resume")
        {
            Description = "Keep the cursor in this file and resume from it (broadcast); with several queues some messages may come again",
        };
        var ack = new Option<bool>("--ack")
        {
            Description = "Ack each message once it is printed (roundrobin), instead of when it is sent",
        };
        var policy = Shared.Policy();
        var where = Shared.Where();
        var command = new Command("listen", "Prints messages as they are pushed") 
        {
            queues, match, transport, count, from, resume, ack, policy, where,
        };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var (names, patterns) = (parsed.GetValue(queues) ?? [], parsed.GetValue(match) ?? []);
            if (names.Length + patterns.Length == 0)
            {
                throw new UsageException("Name a queue, or give --match.");
            }

            var isOne = names.Length == 1 && patterns.Length == 0;
            var file = parsed.GetValue(resume);
            var start = file is { Exists: true }
                ? (await File.ReadAllTextAsync(file.FullName, cancellationToken)).Trim() : parsed.GetValue(from);
            if (file is not null && isOne
                && start is null && await EndAsync(client, terminal, names[0], cancellationToken) is { } end)
            {
                // A program that is stopped before its first message resumes from here, too.
                start = end;
                await File.WriteAllTextAsync(file.FullName, start, cancellationToken);
            }

            var manual = parsed.GetValue(ack);
            var options = new ConsumeOptions
            {
                Transport = parsed.GetValue(transport) ?? ConsumeTransport.WebSocket,
                From = start is { Length: > 0 } ? start : null,
                Ack = manual ? AckMode.Manual : AckMode.Auto,
                Policy = parsed.GetValue(policy),
                Where = parsed.GetValue(where),

                // A listener that resumes runs for long and may start before its server.
                WaitForServer = file is not null,
            };
            var stream = isOne
                ? client.ConsumeAsync(names[0], options, cancellationToken)
                : client.ConsumeManyAsync(names, patterns, options, cancellationToken);
            stream.QueueLeft += (queue, code) => terminal.Fail($"The queue '{queue}' has left the stream: {code}.", "close");
            stream.GapFound += gap => terminal.Fail($"{gap.Count?.ToString() ?? "Some"} messages are missed: {gap.Cause}.", "gap");
            stream.Reconnecting += again => Shared.Tell(terminal, again);
            var left = parsed.GetValue(count) ?? int.MaxValue;
            if (left <= 0)
            {
                throw new UsageException("--count must be 1 or more.");
            }

            var kept = start;
            try
            {
                await foreach (var message in stream)
                {
                    terminal.WriteMessage(message);
                    if (manual)
                    {
                        _ = await message.AckAsync(cancellationToken);
                    }

                    await KeepAsync();
                    if (--left == 0)
                    {
                        break;
                    }
                }
            }
            finally
            {
                // A stream that is quiet moves on, too: past messages that a filter leaves out, and to the exact place in many queues.
                await KeepAsync();
            }

            async Task KeepAsync()
            {
                if (file is not null && stream.Cursor is { } cursor && cursor != kept)
                {
                    await File.WriteAllTextAsync(file.FullName, cursor, CancellationToken.None);
                    kept = cursor;
                }
            }

            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>The cursor of a broadcast queue's end; null for another queue, and for a key that may listen and not look. Waits for a
    /// server that is away.</summary>
    private static async Task<string?> EndAsync(
        PushQueueClient client, Terminal terminal, string queue, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await client.GetQueueAsync(queue, cancellationToken) is { Policy: "broadcast" } info
                    ? string.Create(CultureInfo.InvariantCulture, $"{info.Epoch}.{info.NextOffset - 1}")
                    : null;
            }
            catch (PushQueueException e) when (e.Type == ProblemTypes.Forbidden)
            {
                return null;
            }
            catch (PushQueueException e) when (e.IsTransient)
            {
                Shared.Tell(terminal, new Reconnecting(queue, attempt, LookAgainAfter, e));
            }

            await Task.Delay(LookAgainAfter, TimeProvider.System, cancellationToken);
        }
    }

    public static Option<ConsumeTransport?> Transport()
    {
        var option = new Option<ConsumeTransport?>("--transport")
        {
            Description = "websocket (the default), signalr, sse or lines",
            CustomParser = result =>
            {
                switch (result.Tokens[0].Value.ToLowerInvariant())
                {
                    case "websocket" or "ws":
                        return ConsumeTransport.WebSocket;
                    case "signalr":
                        return ConsumeTransport.SignalR;
                    case "sse" or "serversentevents":
                        return ConsumeTransport.ServerSentEvents;
                    case "lines":
                        return ConsumeTransport.Lines;
                    default:
                        result.AddError("--transport must be websocket, signalr, sse or lines.");
                        return null;
                }
            },
        };
        option.CompletionSources.Clear();
        option.CompletionSources.Add("websocket", "signalr", "sse", "lines");
        return option;
    }
}
