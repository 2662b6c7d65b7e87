using System.CommandLine;
using PushQueue.Cli.Output;
using PushQueue.Client;
using Spectre.Console;

namespace PushQueue.Cli.Commands;

/// <summary>top: the busiest queues, again and again.</summary>
internal static class TopCommand
{
    public static Command Make()
    {
        var interval = Shared.Duration("--interval", "Time between two looks (1s)");
        var once = new Option<bool>("--once") { Description = "Look once" };
        var command = new Command("top", "Watches the queues; a JSON object per look with --json") { interval, once };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var pause = parsed.GetValue(interval) ?? TimeSpan.FromSeconds(1);
            if (!terminal.IsLive || parsed.GetValue(once))
            {
                await PrintAsync(client, terminal, pause, parsed.GetValue(once), cancellationToken);
                return ExitCodes.Done;
            }

            await terminal.People.Live(Text.Empty).StartAsync(async live =>
            {
                while (true)
                {
                    live.UpdateTarget(Tables.Of(await LookAsync(client, Math.Max(5, terminal.People.Profile.Height - 5), cancellationToken)));
                    await Task.Delay(pause, TimeProvider.System, cancellationToken);
                }
            });
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task PrintAsync(
        PushQueueClient client, Terminal terminal, TimeSpan pause, bool once, CancellationToken cancellationToken)
    {
        do
        {
            var queues = await LookAsync(client, int.MaxValue, cancellationToken);
            if (terminal.Json)
            {
                terminal.WriteJson(new { stats = await client.GetStatsAsync(cancellationToken), queues });
            }
            else
            {
                terminal.People.Write(Tables.Of(queues));
            }

            await Task.Delay(once ? TimeSpan.Zero : pause, TimeProvider.System, cancellationToken);
        }
        while (!once);
    }

    private static async Task<List<QueueInfo>> LookAsync(PushQueueClient client, int most, CancellationToken cancellationToken)
    {
        var queues = await client.ListQueuesAsync(cancellationToken).ToListAsync(cancellationToken);
        return [.. queues.OrderByDescending(queue => queue.PutPerSecond + queue.DeliveredPerSecond).ThenByDescending(queue => queue.Ready).Take(most)];
    }
}
