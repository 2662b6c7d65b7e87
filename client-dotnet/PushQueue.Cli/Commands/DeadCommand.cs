using System.CommandLine;
using PushQueue.Cli.Output;

namespace PushQueue.Cli.Commands;

/// <summary>dead: messages that were given up.</summary>
internal static class DeadCommand
{
    public static Command Make() => new("dead", "Dead letters") { List(), Replay() };

    private static Command List()
    {
        var queue = Shared.Queue();
        var limit = new Option<int>("--limit", "-n") { Description = "At most this many", DefaultValueFactory = _ => 100 };
        var command = new Command("list", "Lists the dead letters of a queue, and why they failed") { queue, limit };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var name = parsed.GetValue(queue)!;
            name = name.EndsWith(".dead", StringComparison.Ordinal) ? name : name + ".dead";
            var messages = await client.BrowseAsync(
                name, cancellationToken: cancellationToken).Take(parsed.GetValue(limit)).ToListAsync(cancellationToken);
            if (terminal.Json)
            {
                messages.ForEach(terminal.WriteMessage);
                return ExitCodes.Done;
            }

            if (messages.Count == 0)
            {
                terminal.Nothing($"'{name}' contains no dead letters.");
                return ExitCodes.Done;
            }

            var table = new TextTable(
                new("id", IsText: true), new("from", IsText: true, LeaveOutFirst: 3), new("reason", IsText: true, LeaveOutFirst: 2),
                new("attempts", LeaveOutFirst: 1), new("worker", IsText: true, LeaveOutFirst: 4), new("error", IsText: true));
            foreach (var message in messages)
            {
                table.Add(
                    TerminalText.OneLine(message.Id), TerminalText.OneLine(message.Resting?.DeadLetter?.Queue ?? ""),
                    message.Resting?.DeadLetter?.Reason ?? "",
                    Tables.Number(message.Resting?.DeadLetter?.Attempts ?? 0), TerminalText.OneLine(message.Resting?.LastWorker ?? ""),
                    TerminalText.OneLine(message.Resting?.LastError ?? ""));
            }

            terminal.Write(table);
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Replay()
    {
        var queue = Shared.Queue();
        var id = new Option<string?>("--id") { Description = "One dead letter (all of them)" };
        var count = new Option<int?>("--count", "-n") { Description = "At most this many" };
        var command = new Command("replay", "Returns dead letters to the queue from which they came") { queue, id, count };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var replayed = await client.ReplayAsync(
                parsed.GetValue(queue)!, parsed.GetValue(id), parsed.GetValue(count), cancellationToken);
            terminal.Done($"{Tables.Number(replayed)} put back", new { replayed });
            return ExitCodes.Done;
        });
        return command;
    }
}
