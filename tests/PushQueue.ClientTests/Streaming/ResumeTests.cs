using System.Collections.Concurrent;
using PushQueue.Client;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Streaming;

/// <summary>Streams through cut connections, orderly restarts and kill -9, with the verdict over the whole history: what was put has
/// come.</summary>
public sealed class ResumeTests
{
    private const int PutsPerRound = 200;

    public static TheoryData<ConsumeTransport> Transports { get; } =
        [ConsumeTransport.WebSocket, ConsumeTransport.SignalR, ConsumeTransport.ServerSentEvents, ConsumeTransport.Lines];

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Under_broadcast_every_message_comes_once_and_in_order(ConsumeTransport transport)
    {
        await using var node = await TestNode.StartAsync();
        var queue = await node.NewQueueAsync("broadcast");
        using var end = new CancellationTokenSource();
        var got = new List<string>();
        var stream = node.Client.ConsumeAsync(queue, new ConsumeOptions { Transport = transport }, end.Token);
        var gaps = new ConcurrentQueue<Gap>();
        stream.GapFound += gaps.Enqueue;
        var connected = new SemaphoreSlim(0);
        stream.Connected += () => connected.Release();
        var consuming = ConsumeAsync(stream, message => Add(got, message.Text), end.Token);
        await connected.WaitAsync(end.Token).WithTimeout();

        var put = await PutThroughTroubleAsync(node, queue);

        await Waiting.UntilAsync(() => Count(got) >= put.Count, $"{put.Count} messages, {Count(got)} came");
        await end.CancelAsync();
        await consuming.WithTimeout();
        Assert.Equal(put, got);
        Assert.Empty(gaps);
        UnobservedExceptions.AssertNone();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task With_manual_ack_nothing_is_lost_and_nothing_unacked_forgotten(ConsumeTransport transport)
    {
        await using var node = await TestNode.StartAsync();
        var queue = await node.NewQueueAsync("roundrobin");
        await node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { MaxAttempts = 1000 });
        using var end = new CancellationTokenSource();
        var done = new ConcurrentDictionary<string, byte>();
        var connected = new SemaphoreSlim(0);
        var streams = Enumerable.Range(0, 2).Select(_ => node.Client.ConsumeAsync(
            queue, new ConsumeOptions { Transport = transport, Ack = AckMode.Manual, Prefetch = 50 }, end.Token)).ToArray();
        Array.ForEach(streams, stream => stream.Connected += () => connected.Release());
        var consumers = Array.ConvertAll(streams, stream => ConsumeAsync(
            stream,
            async message =>
            {
                if (await message.AckAsync(end.Token))
                {
                    done[message.Text] = 0;
                }
            },
            end.Token));
        await connected.WaitAsync(end.Token).WithTimeout();
        await connected.WaitAsync(end.Token).WithTimeout();

        var put = await PutThroughTroubleAsync(node, queue);

        // An ack whose answer was lost is repeated, so every one of them ends in a word of the server.
        await Waiting.UntilAsync(() => put.TrueForAll(done.ContainsKey), "all to be acked");
        using var direct = node.NewDirectClient();
        await EmptyAsync(direct, queue);
        await end.CancelAsync();
        await Task.WhenAll(consumers).WithTimeout();
        Assert.Null(await direct.GetQueueAsync(queue + ".dead"));
        UnobservedExceptions.AssertNone();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_consumer_that_is_back_in_time_keeps_its_leases_and_gets_no_message_twice(ConsumeTransport transport)
    {
        await using var node = await TestNode.StartAsync();
        var queue = await node.NewQueueAsync("roundrobin");
        await node.Client.PutAsync(queue, "held");
        using var end = new CancellationTokenSource();
        var options = new ConsumeOptions { Transport = transport, Ack = AckMode.Manual, Prefetch = 2 };
        var stream = node.Client.ConsumeAsync(queue, options, end.Token);
        var connected = new SemaphoreSlim(0);
        stream.Connected += () => connected.Release();
        await using var messages = stream.GetAsyncEnumerator(end.Token);
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
        var held = messages.Current;
        await connected.WaitAsync(end.Token).WithTimeout();

        node.Proxy.Cut();
        await connected.WaitAsync(end.Token).WithTimeout();
        await node.Client.PutAsync(queue, "next");
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());

        Assert.Equal(("held", 1), (held.Text, held.Attempt));
        Assert.Equal("next", messages.Current.Text);
        Assert.True(await held.AckAsync().WithTimeout());
        Assert.True(await messages.Current.AckAsync().WithTimeout());
        Assert.False(held.Ended.IsCancellationRequested);
        await end.CancelAsync();
    }

    private static async Task<List<string>> PutThroughTroubleAsync(TestNode node, string queue)
    {
        var put = new List<string>();
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < PutsPerRound; i += 20)
            {
                var messages = Enumerable.Range(i, 20)
                    .Select(number => PutMessage.Text($"{round}-{number}", new PutOptions { Id = $"{round}-{number}" })).ToList();
                put.AddRange(messages.Select(message => message.Options!.Id!));
                await node.Client.PutManyAsync(queue, messages).WithTimeout();
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

    private static Task ConsumeAsync(MessageStream stream, Action<Message> handle, CancellationToken end) =>
        ConsumeAsync(
            stream,
            message =>
            {
                handle(message);
                return Task.CompletedTask;
            },
            end);

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

    private static async Task EmptyAsync(PushQueueClient client, string queue)
    {
        for (var tries = 0; tries < 3000; tries++)
        {
            if (await client.GetQueueAsync(queue).WithTimeout() is { Ready: 0, Leased: 0, Delayed: 0 })
            {
                return;
            }

            await Task.Delay(20);
        }

        Assert.Fail($"Something was forgotten: {await client.GetQueueAsync(queue)}");
    }

    private static void Add(List<string> list, string text)
    {
        lock (list)
        {
            list.Add(text);
        }
    }

    private static int Count(List<string> list)
    {
        lock (list)
        {
            return list.Count;
        }
    }
}
