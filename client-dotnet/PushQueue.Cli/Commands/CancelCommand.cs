using System.CommandLine;
using PushQueue.Client;

namespace PushQueue.Cli.Commands;

/// <summary>cancel: removes a message in whatever state it is.</summary>
internal static class CancelCommand
{
    public static Command Make()
    {
        var queue = Shared.Queue();
        var id = Shared.Id();
        var command = new Command("cancel", "Removes a message in any state; exit code 4 if there is no such message")
        {
            queue, id,
        };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var (name, message) = (parsed.GetValue(queue)!, parsed.GetValue(id)!);
            if (!await client.CancelAsync(name, message, cancellationToken))
            {
                throw new PushQueueException(ProblemTypes.NotFound, $"There is no message '{message}' in '{name}'.");
            }

            terminal.Done("cancelled", new { queue = name, id = message });
            return ExitCodes.Done;
        });
        return command;
    }
}
