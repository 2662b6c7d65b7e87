using System.Globalization;
using System.Text.Json.Serialization;
using PushQueue.Client;
using PushQueue.Load.Measuring;

namespace PushQueue.Load.Suite;

/// <summary>The .NET client as programs use it: how fast it puts and consumes, whatever the server could do.</summary>
internal static partial class ClientScenarios
{
    private const string Server = "interval:50ms";
    private const string Put = "client-dotnet, PutManyAsync";
    private const string ConsumeRoundRobin = "client-dotnet, ConsumeAsync, roundrobin";
    private const string ConsumeBroadcast = "client-dotnet, ConsumeAsync, broadcast";

    // A JSON string of 100 bytes.
    private const int TextLength = 98;
    private const int MessagesPerPut = 10_000;
    private const int PutsAtOnce = 3;

    internal static Scenario Client(Stage stage) => new("client",
        [
            new(Put, () => Run(stage, "roundrobin", PutAllAsync), WarmUp: true),
            new(ConsumeRoundRobin, () => Run(stage, "roundrobin", ConsumeAllAsync), WarmUp: true),
            new(ConsumeBroadcast, () => Run(stage, "broadcast", ConsumeAllAsync), WarmUp: true),
        ],
        [
            new(
                ".NET client, PutManyAsync, 10,000 messages of 100 bytes a call, 3 at once: messages/s",
                Figure.PerSecond,
                Put,
                null,
                Target.Least(200_000)),
            new(
                ".NET client, ConsumeAsync, one WebSocket, auto ack, roundrobin: messages/s",
                Figure.PerSecond,
                ConsumeRoundRobin,
                null,
                Target.Least(300_000)),
            new("… broadcast: messages/s", Figure.PerSecond, ConsumeBroadcast, null, Target.Least(300_000)),
        ]);

    private static Sample Run(Stage stage, string policy, Func<PushQueueClient, string, int, Task<Sample>> load)
    {
        var server = stage.PushQueue(Server);
        var queue = stage.NewName();
        using var client = new PushQueueClient($"http://127.0.0.1:{server.Port}");
        return RunAsync().GetAwaiter().GetResult();

        async Task<Sample> RunAsync()
        {
            var messages = stage.Scale.ConsumeMessages;
            await client.ChangeSettingsAsync(queue, new QueueSettingsChange
            {
                Policy = policy,
                History = new HistorySettings { Messages = messages, Age = "1h" },
            });
            var sample = await load(client, queue, messages);
            await client.DeleteQueueAsync(queue);
            return sample;
        }
    }

    private static async Task<Sample> PutAllAsync(PushQueueClient client, string queue, int messages)
    {
        var texts = Enumerable.Repeat(new string('x', TextLength), MessagesPerPut).ToArray();
        var left = messages / MessagesPerPut;
        var begun = Clock.Now;
        await Task.WhenAll(Enumerable.Range(0, PutsAtOnce).Select(_ => PutAsync()));
        return new Sample { [Figure.PerSecond] = messages / MessagesPerPut * MessagesPerPut / Clock.SecondsSince(begun) };

        async Task PutAsync()
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await client.PutManyAsync(queue, texts, BenchJson.Default.String);
            }
        }
    }

    private static async Task<Sample> ConsumeAllAsync(PushQueueClient client, string queue, int messages)
    {
        _ = await PutAllAsync(client, queue, messages);
        var expected = messages / MessagesPerPut * MessagesPerPut;
        var begun = Clock.Now;
        var count = 0;
        var sum = 0L;
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            await foreach (var message in client.ConsumeAsync(queue, options: null, timeout.Token))
            {
                sum += long.Parse(message.Id, CultureInfo.InvariantCulture);
                if (++count == expected)
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The rest does not come; the sample says so.
        }

        // The ids are 1, 2, 3 …: each must have come once.
        return new Sample
        {
            [Figure.PerSecond] = count / Clock.SecondsSince(begun),
            Problem = sum == (long)expected * (expected + 1) / 2 ? null : $"{count} of {expected} came, or some of them twice",
        };
    }

    [JsonSerializable(typeof(string))]
    private sealed partial class BenchJson : JsonSerializerContext;
}
