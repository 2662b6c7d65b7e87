using System.CommandLine;
using PushQueue.Cli.Output;
using PushQueue.Client;

namespace PushQueue.Cli.Commands;

/// <summary>top: the busiest queues, again and again.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan KeyInterval = TimeSpan.FromMilliseconds(50);

    public static Command Make()
    {
        var interval = Shared.Duration("--interval", "Time between two readings (1s)");
        var once = new Option<bool>("--once") { Description = "Look once" };
        var command = new Command(
            "top", "Watches the queues; with --json a JSON object per reading. Keys: q quits, t sorts by traffic, r by ready, n by name")
        {
            interval, once,
        };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var pause = parsed.GetValue(interval) ?? TimeSpan.FromSeconds(1);
            if (!terminal.IsLive || parsed.GetValue(once))
            {
                await PrintAsync(client, terminal, pause, parsed.GetValue(once), cancellationToken);
                return ExitCodes.Done;
            }

            using var screen = new Screen(terminal);
            await WatchAsync(client, terminal, screen, pause, cancellationToken);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task WatchAsync(
        PushQueueClient client, Terminal terminal, Screen screen, TimeSpan pause, CancellationToken cancellationToken)
    {
        var order = ConsoleKey.T;
        while (true)
        {
            var queues = await client.ListQueuesAsync(cancellationToken).ToListAsync(cancellationToken);
            screen.Draw(Frame(terminal, Sorted(queues, order)));
            var key = await KeyAsync(pause, cancellationToken);
            if (key is ConsoleKey.Q or ConsoleKey.Escape)
            {
                return;
            }

            order = key is ConsoleKey.T or ConsoleKey.R or ConsoleKey.N ? key.Value : order;
        }
    }

    private static IEnumerable<string> Frame(Terminal terminal, List<QueueInfo> queues)
    {
        var lines = Tables.Of(queues.Take(terminal.Height)).Lines(terminal.Width).ToList();
        lines[0] = terminal.Header(lines[0]);
        return lines.Prepend($"{Tables.Number(queues.Count)} queues   q quits, sort by t traffic, r ready, n name");
    }

    /// <summary>The next key that is pressed in this time; null without one, and without a keyboard.</summary>
    private static async Task<ConsoleKey?> KeyAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(begun) < time)
        {
            if (!Console.IsInputRedirected && Console.KeyAvailable)
            {
                return Console.ReadKey(intercept: true).Key;
            }

            await Task.Delay(KeyInterval < time ? KeyInterval : time, TimeProvider.System, cancellationToken);
        }

        return null;
    }

    private static async Task PrintAsync(
        PushQueueClient client, Terminal terminal, TimeSpan pause, bool once, CancellationToken cancellationToken)
    {
        do
        {
            var queues = Sorted(await client.ListQueuesAsync(cancellationToken).ToListAsync(cancellationToken), ConsoleKey.T);
            if (terminal.Json)
            {
                terminal.WriteJson(new { stats = await client.GetStatsAsync(cancellationToken), queues });
            }
            else
            {
                terminal.Write(Tables.Of(queues));
            }

            await Task.Delay(once ? TimeSpan.Zero : pause, TimeProvider.System, cancellationToken);
        }
        while (!once);
    }

    private static List<QueueInfo> Sorted(IEnumerable<QueueInfo> queues, ConsoleKey order) => order switch
    {
        ConsoleKey.N => [.. queues],
        ConsoleKey.R => [.. queues.OrderByDescending(queue => queue.Ready)],
        _ => [.. queues.OrderByDescending(queue => queue.PutPerSecond + queue.DeliveredPerSecond).ThenByDescending(queue => queue.Ready)],
    };
}
