using System.CommandLine;

namespace PushQueue.Cli.Commands;

/// <summary>take: messages for good, or leased.</summary>
internal static class TakeCommand
{
    public static Command Make()
    {
        var queue = Shared.Queue();
        var count = new Option<int>("--count", "-n") { Description = "At most this many, 1 to 1000", DefaultValueFactory = _ => 1 };
        var wait = Shared.Duration("--wait", "Wait this long for a message, at most 60s");
        var ttr = Shared.Duration("--ttr", "Lease the messages for this long instead of taking them; --json shows the receipt");
        var where = Shared.Where();
        var command = new Command("take", "Takes messages; exit code 4 if none is ready") { queue, count, wait, ttr, where };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var (name, limit, patience) = (parsed.GetValue(queue)!, parsed.GetValue(count), parsed.GetValue(wait));
            var conditions = parsed.GetValue(where);
            var messages = parsed.GetValue(ttr) is { } timeToRun
                ? await client.LeaseManyAsync(name, limit, timeToRun, patience, where: conditions, cancellationToken: cancellationToken)
                : await client.TakeManyAsync(name, limit, patience, where: conditions, cancellationToken: cancellationToken);
            foreach (var message in messages)
            {
                terminal.WriteMessage(message);
            }

            if (messages.Count > 0)
            {
                return ExitCodes.Done;
            }

            terminal.Nothing($"No message of '{name}' is ready.");
            return ExitCodes.Nothing;
        });
        return command;
    }
}
