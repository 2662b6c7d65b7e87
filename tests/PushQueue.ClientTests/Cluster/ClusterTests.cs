using System.Collections.Concurrent;
using PushQueue.Client;
using PushQueue.ClientTests.Streaming;
using PushQueue.ClientTests.Support;
using PushQueue.SystemTests.Cluster;
using Xunit;

namespace PushQueue.ClientTests.Cluster;

/// <summary>One client, two nodes over a Redis of their own; the node that it uses dies.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private const int Count = 400;

    private ClusterFixture _cluster = null!;
    private PushQueueClient _client = null!;

    public static TheoryData<ConsumeTransport> Transports => ResumeTests.Transports;

    public async ValueTask InitializeAsync()
    {
        _cluster = await ClusterFixture.StartAsync();
        _client = NewClient(_cluster.Addresses);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _cluster.DisposeAsync();
        UnobservedExceptions.AssertNone();
    }

    [Fact]
    public async Task Requests_go_on_at_the_other_node_even_those_that_are_never_repeated()
    {
        await _client.PutAsync("q", "one").WithTimeout();
        await _cluster.Nodes[0].KillAsync();

        // Nothing was sent to the dead node, so a put without an id may go to the other.
        await _client.PutAsync("q", "two").WithTimeout();

        Assert.Equal("one", (await _client.TakeAsync("q").WithTimeout())!.Text);
        Assert.Equal("two", (await _client.TakeAsync("q").WithTimeout())!.Text);
    }

    [Fact]
    public async Task When_no_node_answers_the_error_says_so()
    {
        await _cluster.Nodes[0].KillAsync();
        await _cluster.Nodes[1].KillAsync();

        var error = await Assert.ThrowsAsync<PushQueueException>(() => _client.PutAsync("q", "x")).WithTimeout();

        Assert.Equal(ProblemTypes.Unreachable, error.Type);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Under_broadcast_a_stream_resumes_at_the_other_node_and_every_message_comes_once_and_in_order(
        ConsumeTransport transport)
    {
        using var end = new CancellationTokenSource();
        var stream = _client.ConsumeAsync("news", new ConsumeOptions { Transport = transport }, end.Token);
        var gaps = new ConcurrentQueue<Gap>();
        stream.GapFound += gaps.Enqueue;
        var connected = new SemaphoreSlim(0);
        stream.Connected += () => connected.Release();
        var got = new ConcurrentQueue<string>();
        var consuming = ConsumeAsync(
            stream,
            message =>
            {
                got.Enqueue(message.Text);
                return Task.CompletedTask;
            },
            end.Token);
        await connected.WaitAsync(end.Token).WithTimeout();

        var put = await PutAllAsync("news", () => got.Count);

        await Waiting.UntilAsync(() => got.Count >= Count, "all messages");
        await end.CancelAsync();
        await consuming.WithTimeout();
        Assert.Equal(put, got);
        Assert.Empty(gaps);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task With_manual_ack_nothing_is_lost_and_nothing_unacked_forgotten(ConsumeTransport transport)
    {
        await _client.ChangeSettingsAsync("jobs", new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        using var end = new CancellationTokenSource();
        var acked = new ConcurrentDictionary<string, byte>();
        var again = new ConcurrentQueue<string>();
        var stream = _client.ConsumeAsync("jobs", new ConsumeOptions { Transport = transport, Ack = AckMode.Manual }, end.Token);
        var consuming = ConsumeAsync(
            stream,
            async message =>
            {
                if (acked.ContainsKey(message.Text))
                {
                    again.Enqueue(message.Text);
                }

                if (await message.AckAsync(CancellationToken.None))
                {
                    acked[message.Text] = 0;
                }
            },
            end.Token);

        var put = await PutAllAsync("jobs", () => acked.Count);

        await Waiting.UntilAsync(() => put.TrueForAll(acked.ContainsKey), "all to be acked");
        await Waiting.UntilAsync(
            async () => await _client.GetQueueAsync("jobs") is { Ready: 0, Leased: 0, Delayed: 0 }, "nothing to be left");
        await end.CancelAsync();
        await consuming.WithTimeout();
        Assert.Empty(again);
        Assert.Null(await _client.GetQueueAsync("jobs.dead").WithTimeout());
    }

    [Fact]
    public async Task A_stream_that_comes_back_at_another_node_hands_back_there_what_it_had_not_begun()
    {
        await using var proxy = new CuttingProxy(_cluster.Addresses[0]);
        using var client = NewClient([proxy.Address]);
        await client.ChangeSettingsAsync("jobs", new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        await client.PutManyAsync("jobs", Enumerable.Range(1, 5), TestJson.Default.Int32).WithTimeout();
        var options = new ConsumeOptions { Ack = AckMode.Manual, Prefetch = 5, Grace = TimeSpan.FromMinutes(10) };
        await using var messages = client.ConsumeAsync("jobs", options).GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
        var begun = messages.Current;
        await Waiting.UntilAsync(async () => (await client.GetQueueAsync("jobs"))!.Leased == 5, "all to be pushed");

        proxy.Target = _cluster.Addresses[1];
        proxy.Cut();

        // The first node keeps its place for ten minutes more. The messages of the new place were handed back and given out again.
        await Waiting.UntilAsync(
            async () => (await client.GetConsumersAsync("jobs")).Any(consumer => consumer.InFlight == 4), "the rest to be there again");
        var rest = new List<Message>();
        while (rest.Count < 4)
        {
            Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
            if (await messages.Current.AckAsync().WithTimeout())
            {
                rest.Add(messages.Current);
            }
        }

        Assert.All(rest, message => Assert.Equal(1, message.Attempt));
        Assert.DoesNotContain(begun.Id, rest.Select(message => message.Id));
        Assert.True(await begun.AckAsync().WithTimeout());
    }

    private static PushQueueClient NewClient(Uri[] addresses)
    {
        var options = new PushQueueClientOptions { Server = addresses[0], OtherServers = addresses[1..] };
        options.Reconnect.FirstDelay = TimeSpan.FromMilliseconds(20);
        options.Reconnect.LongestDelay = TimeSpan.FromMilliseconds(200);
        return new PushQueueClient(options);
    }

    /// <summary>Puts them all, and kills the first node in the middle, once some have come.</summary>
    private async Task<List<string>> PutAllAsync(string queue, Func<int> came)
    {
        var put = new List<string>();
        while (put.Count < Count)
        {
            var id = $"{put.Count}";
            await _client.PutAsync(queue, id, new PutOptions { Id = id }).WithTimeout();
            put.Add(id);
            if (put.Count == Count / 2)
            {
                await Waiting.UntilAsync(() => came() > 0, "something to come before the node dies");
                await _cluster.Nodes[0].KillAsync();
            }
        }

        return put;
    }

    private static async Task ConsumeAsync(MessageStream stream, Func<Message, Task> handle, CancellationToken end)
    {
        try
        {
            await foreach (var message in stream)
            {
                await handle(message);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The test is over.
        }
    }
}
