using System.CommandLine;

namespace PushQueue.Cli.Commands;

/// <summary>touch: makes a lease run on.</summary>
internal static class TouchCommand
{
    public static Command Make()
    {
        var queue = Shared.Queue();
        var id = Shared.Id();
        var receipt = Shared.Receipt();
        var ttr = Shared.Duration("--ttr", "The lease ends after this (the queue's setting)");
        var command = new Command("touch", "Extends a lease from now; exit code 1 if the lease was lost")
        {
            queue, id, receipt, ttr,
        };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var (name, message) = (parsed.GetValue(queue)!, parsed.GetValue(id)!);
            await client.TouchAsync(name, message, parsed.GetValue(receipt)!, parsed.GetValue(ttr), cancellationToken);
            terminal.Done("touched", new { queue = name, id = message });
            return ExitCodes.Done;
        });
        return command;
    }
}
