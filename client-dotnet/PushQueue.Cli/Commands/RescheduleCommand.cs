using System.CommandLine;

namespace PushQueue.Cli.Commands;

/// <summary>reschedule: makes a message available at another time.</summary>
internal static class RescheduleCommand
{
    public static Command Make()
    {
        var queue = Shared.Queue();
        var id = Shared.Id();
        var delay = Shared.Duration("--delay", "Available after this; 0 for now");
        var at = Shared.Time("--at", "Available from this time");
        var command = new Command(
            "reschedule", "Makes a message available at another time; a lease on it ends. Exit code 4 if there is no such message")
        {
            queue, id, delay, at,
        };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var (name, message) = (parsed.GetValue(queue)!, parsed.GetValue(id)!);
            switch (parsed.GetValue(delay), parsed.GetValue(at))
            {
                case ({ } after, null):
                    await client.RescheduleAsync(name, message, after, cancellationToken);
                    break;
                case (null, { } time):
                    await client.RescheduleAsync(name, message, time, cancellationToken);
                    break;
                default:
                    throw new UsageException("Give either --delay or --at.");
            }

            terminal.Done("rescheduled", new { queue = name, id = message });
            return ExitCodes.Done;
        });
        return command;
    }
}
