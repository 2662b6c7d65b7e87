using System.CommandLine;
using System.Globalization;
using PushQueue.Cli.Benchmark;
using PushQueue.Cli.Output;
using PushQueue.Client;

namespace PushQueue.Cli.Commands;

/// <summary>bench: load on a queue of its own, and what came of it.</summary>
internal static class BenchCommand
{
    public static Command Make()
    {
        var messages = new Option<int>("--messages", "-n") { Description = "Number of messages", DefaultValueFactory = _ => 100_000 };
        var size = new Option<int>("--size") { Description = "Bytes of a body, at least 32", DefaultValueFactory = _ => 100 };
        var batch = new Option<int>("--batch") { Description = "Messages per request", DefaultValueFactory = _ => 1000 };
        var producers = new Option<int>("--producers") { Description = "Requests at once", DefaultValueFactory = _ => 2 };
        var consumers = new Option<int>("--consumers") { Description = "Streams", DefaultValueFactory = _ => 1 };
        var policy = new Option<string>("--policy") { Description = "broadcast or roundrobin", DefaultValueFactory = _ => "broadcast" }
            .AcceptOnlyFromAmong("broadcast", "roundrobin");
        var ack = new Option<bool>("--ack") { Description = "Ack each message (roundrobin)" };
        var transport = ListenCommand.Transport();
        var command = new Command("bench", "Puts load on a separate queue; exit code 5 if a message was lost or came twice")
        {
            messages, size, batch, producers, consumers, policy, ack, transport,
        };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var plan = new BenchPlan(
                parsed.GetValue(messages), parsed.GetValue(size), parsed.GetValue(batch), parsed.GetValue(producers),
                parsed.GetValue(consumers),
                parsed.GetValue(policy)!, parsed.GetValue(ack), parsed.GetValue(transport) ?? ConsumeTransport.WebSocket);
            if (plan.Messages < 1 || plan.Size < BenchRun.BodyBytesMin || plan.Batch < 1 || plan.Producers < 1 || plan.Consumers < 1)
            {
                throw new UsageException($"Give --size {BenchRun.BodyBytesMin} or more, and 1 or more for each other option.");
            }

            var run = new BenchRun(client, plan);
            var running = run.RunAsync(cancellationToken);
            await ShowAsync(terminal, run, running, cancellationToken);
            var result = await running;
            Write(terminal, result);
            return result.Sound ? ExitCodes.Done : ExitCodes.Unsound;
        });
        return command;
    }

    private static async Task ShowAsync(Terminal terminal, BenchRun run, Task running, CancellationToken cancellationToken)
    {
        if (!terminal.IsLive)
        {
            return;
        }

        var (put, received) = (0L, 0L);
        while (!running.IsCompleted)
        {
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken));
            Terminal.Progress(
                $"put {Tables.Number(run.Put)} ({Tables.Number(run.Put - put)}/s), "
                + $"received {Tables.Number(run.Received)} ({Tables.Number(run.Received - received)}/s)");
            (put, received) = (run.Put, run.Received);
        }

        Terminal.ProgressEnds();
    }

    private static void Write(Terminal terminal, BenchResult result)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(result);
            return;
        }

        var table = new TextTable(new("", IsText: true), new("", IsText: true));
        table.Add("put", $"{Tables.Number((long)result.PutPerSecond)} messages/s");
        table.Add("received", $"{Tables.Number((long)result.ReceivedPerSecond)} messages/s");
        table.Add("latency p50, p90, p99, max", string.Create(
            CultureInfo.InvariantCulture, $"{result.P50Ms:0.0}, {result.P90Ms:0.0}, {result.P99Ms:0.0}, {result.MaxMs:0.0} ms"));
        table.Add("lost", Tables.Number(result.Lost));
        table.Add("twice", Tables.Number(result.Duplicates));
        foreach (var line in table.Lines().Skip(1))
        {
            terminal.WriteLine(line);
        }
    }
}
