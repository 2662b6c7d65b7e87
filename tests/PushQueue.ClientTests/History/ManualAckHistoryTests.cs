using PushQueue.Client;
using PushQueue.ClientTests.Streaming;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.History;

/// <summary>
/// The client under manual ack, through kill -9, orderly restarts and cut connections, with programs that ack, give back and leave: in the
/// end nothing is lost, nothing is forgotten, and no ack is undone, not even by one more kill.
/// </summary>
public sealed class ManualAckHistoryTests
{
    private const int Consumers = 3;
    private const int PutsPerRound = 150;
    private const int Rounds = 6;

    [Theory]
    [MemberData(nameof(ResumeTests.Transports), MemberType = typeof(ResumeTests))]
    public async Task Nothing_is_lost_nothing_forgotten_and_no_ack_undone(ConsumeTransport transport)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("PUSHQUEUE_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"PUSHQUEUE_TEST_SEED={seed}");
        await using var node = await TestNode.StartAsync();
        var queue = await node.NewQueueAsync("roundrobin");
        await node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { MaxAttempts = 1000 });
        using var end = new CancellationTokenSource();

        // A stream that begins while the server is away waits for it, too.
        using var client = node.NewClient(
            options => options.Retry = new RetryOptions { Attempts = 1000, LongestDelay = TimeSpan.FromMilliseconds(200) });
        var run = new ManualAckRun(client, queue, transport, seed);
        var consuming = Enumerable.Range(1, Consumers).Select(number => run.ConsumeAsync(number, end.Token)).ToList();

        var put = await PutThroughTroubleAsync(node, queue, new Random(seed));

        await Waiting.UntilAsync(() => run.Acked.Count >= put.Count, "all to be acked");
        await end.CancelAsync();
        await Task.WhenAll(consuming).WithTimeout();
        await node.StopServerAsync(kill: true);
        await node.StartServerAsync();
        using var direct = node.NewDirectClient();
        Assert.Empty(ManualAckVerdict.Judge(put, run.Acked, await RestingAsync(direct, queue)));
        Assert.True(run.Abandoned > Rounds, $"Only {run.Abandoned} messages were abandoned; that tells little.");
        UnobservedExceptions.AssertNone();
    }

    /// <summary>The ids of the puts that were answered: all of them, for a put with an id is repeated.</summary>
    private static async Task<List<string>> PutThroughTroubleAsync(TestNode node, string queue, Random random)
    {
        var put = new List<string>();
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < PutsPerRound; i += 10)
            {
                var ids = Enumerable.Range(i, 10).Select(number => $"{round}-{number}").ToList();
                await node.Client.PutManyAsync(queue, ids.Select(id => PutMessage.Text(id, new PutOptions { Id = id }))).WithTimeout();
                put.AddRange(ids);
                if (random.Next(6) == 0)
                {
                    node.Proxy.Cut();
                }
            }

            if (round % 2 == 1)
            {
                await node.StopServerAsync(kill: random.Next(3) > 0);
                await node.StartServerAsync();
            }
        }

        return put;
    }

    private static async Task<HashSet<string>> RestingAsync(PushQueueClient client, string queue)
    {
        var resting = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, state) in ((string, string)[])[(queue, "ready"), (queue, "delayed"), (queue, "leased"),
            (queue + ".dead", "dead")])
        {
            await foreach (var message in client.BrowseAsync(name, state))
            {
                resting.Add(message.Id);
            }
        }

        return resting;
    }
}
