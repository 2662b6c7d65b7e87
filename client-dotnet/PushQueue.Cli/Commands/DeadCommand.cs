using System.CommandLine;
using PushQueue.Cli.Output;
using Spectre.Console;

namespace PushQueue.Cli.Commands;

/// <summary>dead: messages that were given up.</summary>
internal static class DeadCommand
{
    public static Command Make() => new("dead", "Dead letters") { List(), Replay() };

    private static Command List()
    {
        var queue = Shared.Queue();
        var limit = new Option<int>("--limit", "-n") { Description = "At most so many", DefaultValueFactory = _ => 100 };
        var command = new Command("list", "Lists the dead letters of a queue, and why they failed") { queue, limit };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var name = parsed.GetValue(queue)!;
            name = name.EndsWith(".dead", StringComparison.Ordinal) ? name : name + ".dead";
            var messages = await client.BrowseAsync(name, cancellationToken: cancellationToken).Take(parsed.GetValue(limit)).ToListAsync(cancellationToken);
            if (terminal.Json)
            {
                messages.ForEach(terminal.WriteMessage);
                return ExitCodes.Done;
            }

            if (messages.Count == 0)
            {
                terminal.Nothing($"'{name}' holds no dead letter.");
                return ExitCodes.Done;
            }

            var table = Tables.New("id", "from", "reason", "attempts", "worker", "error");
            foreach (var message in messages)
            {
                table.AddRow(
                    Markup.Escape(message.Id), Markup.Escape(message.Resting?.DeadLetter?.Queue ?? ""), message.Resting?.DeadLetter?.Reason ?? "",
                    Tables.Number(message.Resting?.DeadLetter?.Attempts ?? 0), Markup.Escape(message.Resting?.LastWorker ?? ""),
                    Markup.Escape(message.Resting?.LastError ?? ""));
            }

            terminal.People.Write(table);
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Replay()
    {
        var queue = Shared.Queue();
        var id = new Option<string?>("--id") { Description = "One of them; else all" };
        var count = new Option<int?>("--count", "-n") { Description = "At most so many" };
        var command = new Command("replay", "Puts dead letters back where they came from") { queue, id, count };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var replayed = await client.ReplayAsync(parsed.GetValue(queue)!, parsed.GetValue(id), parsed.GetValue(count), cancellationToken);
            terminal.Done($"{Tables.Number(replayed)} put back", new { replayed });
            return ExitCodes.Done;
        });
        return command;
    }
}
