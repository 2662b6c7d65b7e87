using System.CommandLine;
using System.Globalization;
using PushQueue.Client;

namespace PushQueue.Cli.Commands;

/// <summary>listen: what is pushed, line by line.</summary>
internal static class ListenCommand
{
    public static Command Make()
    {
        var queue = Shared.Queue();
        var transport = Transport();
        var count = new Option<int?>("--count", "-n") { Description = "End after so many; else follow until Ctrl-C or the end of the queue" };
        var from = new Option<string?>("--from") { Description = "latest, earliest, a cursor or an offset (broadcast)" };
        var resume = new Option<FileInfo?>("--resume") { Description = "Keep the cursor in this file and begin behind it (broadcast)" };
        var ack = new Option<bool>("--ack") { Description = "Ack each message once it is printed (roundrobin), instead of when it is sent" };
        var command = new Command("listen", "Prints messages as they are pushed") { queue, transport, count, from, resume, ack };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var file = parsed.GetValue(resume);
            var start = file is { Exists: true } ? (await File.ReadAllTextAsync(file.FullName, cancellationToken)).Trim() : parsed.GetValue(from);
            if (file is not null && start is null && await EndAsync(client, parsed.GetValue(queue)!, cancellationToken) is { } end)
            {
                // So that who is stopped before the first message goes on from here, too.
                start = end;
                await File.WriteAllTextAsync(file.FullName, start, cancellationToken);
            }

            var manual = parsed.GetValue(ack);
            var stream = client.ConsumeAsync(
                parsed.GetValue(queue)!,
                new ConsumeOptions
                {
                    Transport = parsed.GetValue(transport),
                    From = start is { Length: > 0 } ? start : null,
                    Ack = manual ? AckMode.Manual : AckMode.Auto,
                },
                cancellationToken);
            stream.GapFound += gap => terminal.Fail($"{gap.Count?.ToString() ?? "Some"} messages are missed: {gap.Cause}.", "gap");
            stream.Reconnecting += again => terminal.Fail($"Connecting again: {again.Cause?.Detail ?? "the server asks for it"}", "reconnecting");
            var left = parsed.GetValue(count) ?? int.MaxValue;
            if (left <= 0)
            {
                throw new UsageException("--count is 1 or more.");
            }

            await foreach (var message in stream)
            {
                terminal.WriteMessage(message);
                if (manual)
                {
                    _ = await message.AckAsync(cancellationToken);
                }

                if (file is not null && message.Cursor is { } cursor)
                {
                    await File.WriteAllTextAsync(file.FullName, cursor, cancellationToken);
                }

                if (--left == 0)
                {
                    break;
                }
            }

            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>The cursor of a broadcast queue's end; null where there is none, or where the key may listen and not look.</summary>
    private static async Task<string?> EndAsync(PushQueueClient client, string queue, CancellationToken cancellationToken)
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
    }

    public static Option<ConsumeTransport> Transport() => new("--transport")
    {
        Description = "websocket, signalr, sse or lines",
        DefaultValueFactory = _ => ConsumeTransport.WebSocket,
        CustomParser = result =>
        {
            switch (result.Tokens[0].Value)
            {
                case "websocket" or "ws":
                    return ConsumeTransport.WebSocket;
                case "signalr":
                    return ConsumeTransport.SignalR;
                case "sse":
                    return ConsumeTransport.ServerSentEvents;
                case "lines":
                    return ConsumeTransport.Lines;
                default:
                    result.AddError("--transport is websocket, signalr, sse or lines.");
                    return default;
            }
        },
    };
}
