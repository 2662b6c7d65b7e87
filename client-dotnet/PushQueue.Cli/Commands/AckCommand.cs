using System.CommandLine;

namespace PushQueue.Cli.Commands;

/// <summary>ack: done with a leased message, or give it back.</summary>
internal static class AckCommand
{
    public static Command Make()
    {
        var queue = Shared.Queue();
        var id = Shared.Id();
        var receipt = Shared.Receipt();
        var release = new Option<bool>("--release") { Description = "Give the message back instead" };
        var deadLetter = new Option<bool>("--dead-letter") { Description = "Dead-letter the message instead" };
        var error = new Option<string?>("--error") { Description = "With --release or --dead-letter: why" };
        var command = new Command("ack", "Acks a leased message; exit code 1 if the lease was lost")
        {
            queue, id, receipt, release, deadLetter, error,
        };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var (name, message, key) = (parsed.GetValue(queue)!, parsed.GetValue(id)!, parsed.GetValue(receipt)!);
            if (parsed.GetValue(deadLetter))
            {
                await client.DeadLetterAsync(name, message, key, parsed.GetValue(error), cancellationToken);
            }
            else if (parsed.GetValue(release))
            {
                await client.ReleaseAsync(name, message, key, delay: null, parsed.GetValue(error), cancellationToken);
            }
            else
            {
                await client.AckAsync(name, message, key, cancellationToken);
            }

            terminal.Done(
                parsed.GetValue(deadLetter) ? "dead-lettered" : parsed.GetValue(release) ? "released" : "acked",
                new { queue = name, id = message });
            return ExitCodes.Done;
        });
        return command;
    }
}
