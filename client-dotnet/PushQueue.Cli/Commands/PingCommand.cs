using System.CommandLine;
using System.Globalization;

namespace PushQueue.Cli.Commands;

/// <summary>ping: whether the server answers.</summary>
internal static class PingCommand
{
    public static Command Make()
    {
        var command = new Command("ping", "Checks that the server answers; exit code 3 if it does not");
        command.Run(async (_, client, terminal, cancellationToken) =>
        {
            var begun = TimeProvider.System.GetTimestamp();
            var stats = await client.GetStatsAsync(cancellationToken);
            var milliseconds = Math.Round(TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds, 1);
            terminal.Done(
                string.Create(CultureInfo.InvariantCulture, $"PushQueue {stats.Node.Version} answers in {milliseconds} ms"),
                new { version = stats.Node.Version, milliseconds });
            return ExitCodes.Done;
        });
        return command;
    }
}
