using System.Collections.Concurrent;
using PushQueue.Client;
using PushQueue.ClientTests.History;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Streaming;

/// <summary>
/// A stream over many queues through cut connections, orderly restarts and kill -9, with the verdict over the whole history.
/// </summary>
public sealed class ManyQueuesTests
{
    private const int Queues = 20;

    public static TheoryData<ConsumeTransport> Transports { get; } =
        [ConsumeTransport.WebSocket, ConsumeTransport.SignalR, ConsumeTransport.ServerSentEvents, ConsumeTransport.Lines];

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Every_message_of_every_queue_comes_once_and_in_order(ConsumeTransport transport)
    {
        await using var node = await TestNode.StartAsync();
        using var end = new CancellationTokenSource();
        var got = new ConcurrentQueue<(string Queue, string Text)>();
        var gaps = new ConcurrentQueue<Gap>();
        var joined = new ConcurrentQueue<string>();
        var connected = new SemaphoreSlim(0);
        var stream = node.Client.ConsumeManyAsync(["named"], ["m.*"], new ConsumeOptions { Transport = transport }, end.Token);
        stream.GapFound += gaps.Enqueue;
        stream.QueueJoined += joined.Enqueue;
        stream.Connected += () => connected.Release();
        var consuming = ConsumeAsync(stream, message => got.Enqueue((message.Queue, message.Text)), end.Token);
        await connected.WaitAsync(end.Token).WithTimeout();

        var put = await PutThroughTroubleAsync(node);

        var count = put.Values.Sum(static texts => texts.Count);
        await Waiting.UntilAsync(() => got.Count >= count, $"{count} messages, {got.Count} came");
        await end.CancelAsync();
        await consuming.WithTimeout();
        Assert.Empty(ManyQueuesVerdict.Judge(put, [.. got], [.. gaps]));
        Assert.Empty(gaps);
        Assert.NotEmpty(joined);
        UnobservedExceptions.AssertNone();
    }

    [Fact]
    public async Task With_manual_ack_each_message_is_acked_in_its_own_queue()
    {
        await using var node = await TestNode.StartAsync();
        using var end = new CancellationTokenSource();
        var options = new ConsumeOptions { Ack = AckMode.Manual, Prefetch = 4 };
        await using var messages = node.Client.ConsumeManyAsync(["a", "b"], options, end.Token).GetAsyncEnumerator(end.Token);
        var first = messages.MoveNextAsync();
        await Waiting.UntilAsync(async () => await node.Client.GetQueueAsync("b") is not null, "the queues to be made");
        await node.Client.PutAsync("a", "one");
        await node.Client.PutAsync("b", "two");
        var done = new List<string>();
        for (var has = await first.AsTask().WithTimeout(); has && done.Count < 2; has = done.Count < 2 && await messages.MoveNextAsync())
        {
            Assert.Equal("1", messages.Current.Id);
            Assert.True(await messages.Current.AckAsync().WithTimeout());
            done.Add($"{messages.Current.Queue}:{messages.Current.Text}");
        }

        Assert.Equal(["a:one", "b:two"], done.Order());
        await end.CancelAsync();
    }

    [Fact]
    public void A_stream_over_no_queue_is_refused() =>
        Assert.Throws<ArgumentException>(() => new PushQueueClient("http://127.0.0.1:1").ConsumeManyAsync([], []));

    private static async Task<Dictionary<string, List<string>>> PutThroughTroubleAsync(TestNode node)
    {
        var put = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        for (var round = 0; round < 4; round++)
        {
            // Each round has queues that the one before did not have.
            for (var i = 0; i < 200; i++)
            {
                var number = i % ((round + 1) * Queues / 4);
                var queue = number == 0 ? "named" : $"m.{number}";
                if (!put.TryGetValue(queue, out var texts))
                {
                    put[queue] = texts = [];
                    await node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { DedupWindow = "10m" }).WithTimeout();
                }

                var id = $"{round}-{i}";
                texts.Add(id);
                await node.Client.PutAsync(queue, id, new PutOptions { Id = id }).WithTimeout();
            }

            node.Proxy.Cut();
            if (round is 1 or 2)
            {
                await node.StopServerAsync(kill: round == 1);
                await node.StartServerAsync();
            }
        }

        return put;
    }

    private static async Task ConsumeAsync(MessageStream stream, Action<Message> handle, CancellationToken end)
    {
        try
        {
            await foreach (var message in stream)
            {
                handle(message);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The test is over.
        }
    }
}
