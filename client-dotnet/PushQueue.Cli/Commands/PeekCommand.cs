using System.CommandLine;

namespace PushQueue.Cli.Commands;

/// <summary>peek: messages where they rest.</summary>
internal static class PeekCommand
{
    public static Command Make()
    {
        var queue = Shared.Queue();
        var id = new Argument<string?>("id") { Description = "One message (the next ones)", Arity = ArgumentArity.ZeroOrOne };
        var state = new Option<string>("--state")
            { Description = "ready, delayed, leased, dead or history", DefaultValueFactory = _ => "ready" }
            .AcceptOnlyFromAmong("ready", "delayed", "leased", "dead", "history");
        var limit = new Option<int>("--limit", "-n") { Description = "At most this many", DefaultValueFactory = _ => 10 };
        var command = new Command(
            "peek", "Reads messages without taking them: id and body of each, or the whole body of one; exit code 4 if there is no message")
        {
            queue, id, state, limit,
        };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var name = parsed.GetValue(queue)!;
            var messages = parsed.GetValue(id) is { } wanted
                ? await client.FindAsync(name, wanted, cancellationToken) is { } found ? [found] : []
                : await client.BrowseAsync(name, parsed.GetValue(state)!, Math.Clamp(parsed.GetValue(limit), 1, 1000), cancellationToken)
                    .Take(parsed.GetValue(limit)).ToListAsync(cancellationToken);
            if (parsed.GetValue(id) is null)
            {
                messages.ForEach(terminal.WriteListed);
            }
            else
            {
                messages.ForEach(terminal.WriteMessage);
            }

            if (messages.Count > 0)
            {
                return ExitCodes.Done;
            }

            terminal.Nothing($"There is no such message in '{name}'.");
            return ExitCodes.Nothing;
        });
        return command;
    }
}
