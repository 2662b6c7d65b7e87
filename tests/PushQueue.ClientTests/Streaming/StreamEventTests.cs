using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hub_connection_of_the_program_carries_several_queues_and_outlives_them(bool packed)
    {
        var one = await Node.NewQueueAsync("broadcast");
        var two = await Node.NewQueueAsync("roundrobin");
        await using var hub = Hub(packed);
        var options = new HubConsumeOptions(hub);
        await Node.Client.PutAsync(one, "1").WithTimeout();
        await Node.Client.PutAsync(two, "2").WithTimeout();

        var first = await Node.Client.ConsumeAsync(one, options with { From = "earliest" }).FirstAsync().AsTask().WithTimeout();
        var second = await Node.Client.ConsumeAsync(two, options with { Ack = AckMode.Manual }).FirstAsync().AsTask().WithTimeout();

        Assert.Equal(("1", "2"), (first.Text, second.Text));
        Assert.Equal(HubConnectionState.Connected, hub.State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hub_connection_of_the_program_carries_many_queues_and_every_kind_of_body(bool packed)
    {
        var one = await Node.NewQueueAsync("broadcast");
        var two = await Node.NewQueueAsync("broadcast");
        await using var hub = Hub(packed);
        await Node.Client.PutAsync(one, "text").WithTimeout();
        await Node.Client.PutAsync(one, new PutMessage(new byte[] { 0, 0xFF, 0x1F, 0x8B }, "application/gzip")).WithTimeout();
        const string Json = """{"text":"a \"b\" \u00e9","numbers":[1,-1,2.5,18446744073709551615,1e300],"nothing":null,"yes":true,"deep":[[{}]]}""";
        await Node.Client.PutAsync(
            two, new PutMessage(System.Text.Encoding.UTF8.GetBytes(Json), "application/json", new PutOptions { Key = "k" })).WithTimeout();

        var messages = await Node.Client.ConsumeManyAsync([one, two], options: new HubConsumeOptions(hub) { From = "earliest" })
            .Take(3).ToListAsync().AsTask().WithTimeout();

        var ofOne = messages.Where(message => message.Queue == one).ToList();
        var ofTwo = messages.Single(message => message.Queue == two);
        Assert.Equal("text", ofOne[0].Text);
        Assert.Equal("application/gzip", ofOne[1].ContentType);
        Assert.Equal([0, 0xFF, 0x1F, 0x8B], ofOne[1].Body.ToArray());
        Assert.Equal(("application/json", "k"), (ofTwo.ContentType, ofTwo.Key));
        Assert.True(System.Text.Json.Nodes.JsonNode.DeepEquals(
            System.Text.Json.Nodes.JsonNode.Parse(Json), System.Text.Json.Nodes.JsonNode.Parse(ofTwo.Text)), ofTwo.Text);
    }

    [Fact]
    public void The_protocol_that_the_program_adds_is_the_one_whichever_comes_first()
    {
        var before = new HubConnectionBuilder();
        _ = before.AddMessagePackProtocol().WithPushQueue(Node.Proxy.Address);
        var after = new HubConnectionBuilder();
        _ = after.WithPushQueue(Node.Proxy.Address).AddMessagePackProtocol();

        Assert.All([before, after], static builder =>
            Assert.Equal(typeof(MessagePackHubProtocol), builder.Services.Last(IsProtocol).ImplementationType));

        static bool IsProtocol(ServiceDescriptor service) => service.ServiceType == typeof(IHubProtocol);
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

    private HubConnection Hub(bool packed)
    {
        var builder = new HubConnectionBuilder().WithPushQueue(Node.Proxy.Address);
        return (packed ? builder.AddMessagePackProtocol() : builder).Build();
    }
}
