using Microsoft.AspNetCore.SignalR.Client;
using PushQueue.Client;
using PushQueue.Client.SignalR;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Streaming;

/// <summary>The events of a stream, and how it ends.</summary>
public sealed class StreamEventTests : NodeTests
{
    [Fact]
    public async Task A_gap_is_told_before_the_message_behind_it()
    {
        var queue = await Node.NewQueueAsync("broadcast");
        await Node.Client.PutManyAsync(queue, Enumerable.Range(1, 3), TestJson.Default.Int32).WithTimeout();
        await Node.Client.ConsumeAsync(queue, new ConsumeOptions { From = "earliest" }).Take(3).CountAsync().AsTask().WithTimeout();

        var told = new List<string>();
        var stream = Node.Client.ConsumeAsync(queue, new ConsumeOptions { From = "otherepoch.1" });
        stream.GapFound += gap => told.Add(gap.Cause);
        var first = await stream.FirstAsync().AsTask().WithTimeout();
        told.Add(first.Text);

        Assert.Equal(["reset", "1"], told);
        Assert.EndsWith(".1", first.Cursor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cursor_resumes_behind_its_message()
    {
        var queue = await Node.NewQueueAsync("broadcast");
        await Node.Client.PutManyAsync(queue, Enumerable.Range(1, 3), TestJson.Default.Int32).WithTimeout();
        var first = await Node.Client.ConsumeAsync(queue, new ConsumeOptions { From = "earliest" }).FirstAsync().AsTask().WithTimeout();

        var typed = Node.Client.ConsumeAsync(queue, TestJson.Default.Int32, new ConsumeOptions { From = first.Cursor });

        Assert.Equal([2, 3], await typed.Take(2).Select(message => message.Value).ToListAsync().AsTask().WithTimeout());
    }

    [Fact]
    public async Task A_cancelled_message_ends_for_who_holds_it()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "x", new PutOptions { Id = "x" }).WithTimeout();
        var stream = Node.Client.ConsumeAsync(queue, new ConsumeOptions { Ack = AckMode.Manual });
        var cancelled = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        stream.Cancelled += id => cancelled.TrySetResult(id);
        await using var messages = stream.GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());

        await Node.Client.CancelAsync(queue, "x").WithTimeout();

        Assert.Equal("x", await cancelled.Task.WithTimeout());
        await Waiting.UntilAsync(() => messages.Current.Ended.IsCancellationRequested, "the message has not ended");
        Assert.False(await messages.Current.AckAsync().WithTimeout());
    }

    [Theory]
    [MemberData(nameof(ResumeTests.Transports), MemberType = typeof(ResumeTests))]
    public async Task The_end_of_the_queue_is_the_end_of_its_streams(ConsumeTransport transport)
    {
        var queue = await Node.NewQueueAsync("broadcast");
        await Node.Client.PutAsync(queue, "last").WithTimeout();
        await using var messages = Node.Client.ConsumeAsync(
            queue, new ConsumeOptions { Transport = transport, From = "earliest" }).GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());

        await Node.Client.DeleteQueueAsync(queue).WithTimeout();

        Assert.False(await messages.MoveNextAsync().AsTask().WithTimeout());
    }

    [Theory]
    [MemberData(nameof(ResumeTests.Transports), MemberType = typeof(ResumeTests))]
    public async Task What_a_consumer_held_that_leaves_is_ready_at_once(ConsumeTransport transport)
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "x").WithTimeout();
        var options = new ConsumeOptions { Transport = transport, Ack = AckMode.Manual, Grace = TimeSpan.FromMinutes(9) };

        await foreach (var message in Node.Client.ConsumeAsync(queue, options))
        {
            Assert.Equal("x", message.Text);
            break;
        }

        Assert.Equal("x", (await Node.Client.TakeAsync(queue, wait: TimeSpan.FromSeconds(30)).WithTimeout())?.Text);
    }

    [Fact]
    public async Task A_hub_connection_of_the_program_carries_several_queues_and_outlives_them()
    {
        var one = await Node.NewQueueAsync("broadcast");
        var two = await Node.NewQueueAsync("roundrobin");
        await using var hub = new HubConnectionBuilder().WithPushQueue(Node.Proxy.Address).Build();
        var options = new HubConsumeOptions(hub);
        await Node.Client.PutAsync(one, "1").WithTimeout();
        await Node.Client.PutAsync(two, "2").WithTimeout();

        var first = await Node.Client.ConsumeAsync(one, options with { From = "earliest" }).FirstAsync().AsTask().WithTimeout();
        var second = await Node.Client.ConsumeAsync(two, options with { Ack = AckMode.Manual }).FirstAsync().AsTask().WithTimeout();

        Assert.Equal(("1", "2"), (first.Text, second.Text));
        Assert.Equal(HubConnectionState.Connected, hub.State);
    }

    [Fact]
    public async Task A_queue_that_does_not_exist_yet_can_be_waited_for()
    {
        var queue = $"later-{Random.Shared.Next():x}";
        var stream = Node.Client.ConsumeAsync(queue);
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        stream.Connected += () => connected.TrySetResult();
        var first = stream.FirstAsync().AsTask();
        await connected.Task.WithTimeout();

        await Node.Client.PutAsync(queue, "x").WithTimeout();

        Assert.Equal("x", (await first.WithTimeout()).Text);
    }
}
