using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;
using PushQueue.Client;
using PushQueue.Client.SignalR;
using PushQueue.ClientTests.Streaming;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Policies;

/// <summary>A consumer that acks may be there before its queue: no first message is lost to the default policy, over any transport and
/// store.</summary>
public abstract class PolicyOfNewQueuesTests : IAsyncLifetime
{
    private const string RoundRobin = "roundrobin";
    private const string Broadcast = "broadcast";

    private readonly string _queue = $"new-{Random.Shared.Next():x}";
    private PushQueueClient _client = null!;

    public static TheoryData<ConsumeTransport> Transports => ResumeTests.Transports;

    /// <summary>A server without queues.</summary>
    private protected abstract Task<Uri> StartAsync();

    private protected abstract ValueTask StopAsync();

    private protected Uri Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await StartAsync();
        _client = new PushQueueClient(Server.AbsoluteUri);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _client.Dispose();
        await StopAsync();
        UnobservedExceptions.AssertNone();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_manual_stream_makes_its_queue_roundrobin(ConsumeTransport transport)
    {
        await using var messages = Consume(new ConsumeOptions { Transport = transport, Ack = AckMode.Manual }).GetAsyncEnumerator();
        var first = messages.MoveNextAsync().AsTask();
        await ConsumerAsync(_queue);

        await _client.PutAsync(_queue, "work").WithTimeout();

        Assert.True(await first.WithTimeout());
        Assert.NotNull(messages.Current.Receipt);
        Assert.True(await messages.Current.AckAsync().WithTimeout());
        Assert.Equal(RoundRobin, await PolicyAsync());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_manual_stream_gets_what_was_put_before_anybody_chose_a_policy(ConsumeTransport transport)
    {
        await _client.PutAsync(_queue, "work").WithTimeout();

        var message = await Consume(new ConsumeOptions { Transport = transport, Ack = AckMode.Manual }).FirstAsync().AsTask().WithTimeout();

        Assert.NotNull(message.Receipt);
        Assert.Equal(RoundRobin, await PolicyAsync());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_manual_stream_leaves_a_queue_that_has_broadcast_as_it_is(ConsumeTransport transport)
    {
        await _client.PutAsync(_queue, "news").WithTimeout();
        _ = await Consume(new ConsumeOptions { From = "earliest" }).FirstAsync().AsTask().WithTimeout();

        var message = await Consume(
            new ConsumeOptions { Transport = transport, Ack = AckMode.Manual, From = "earliest" }).FirstAsync().AsTask().WithTimeout();

        Assert.Null(message.Receipt);
        Assert.Equal(Broadcast, await PolicyAsync());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_stream_sets_the_policy_that_it_asks_for_and_is_refused_where_the_queue_has_the_other_one(ConsumeTransport transport)
    {
        await _client.PutAsync(_queue, "work").WithTimeout();

        _ = await Consume(new ConsumeOptions { Transport = transport, Policy = RoundRobin }).FirstAsync().AsTask().WithTimeout();
        var refused = await Assert.ThrowsAsync<PushQueueException>(
            () => Consume(new ConsumeOptions { Transport = transport, Policy = Broadcast }).FirstAsync().AsTask().WithTimeout());

        Assert.Equal((ProblemTypes.WrongPolicy, RoundRobin), (refused.Type, await PolicyAsync()));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_worker_that_was_there_before_its_queue_works(ConsumeTransport transport)
    {
        var done = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = new CancellationTokenSource();
        var options = new HandlerOptions { Consume = new ConsumeOptions { Transport = transport } };
        var running = _client.HandleAsync(_queue, (message, _) => Task.FromResult(done.TrySetResult(message.Text)), options, stop.Token);
        await ConsumerAsync(_queue);

        await _client.PutAsync(_queue, "work").WithTimeout();

        Assert.Equal("work", await done.Task.WithTimeout());
        await stop.CancelAsync();
        await running.WithTimeout();
        Assert.Equal(0, (await _client.GetQueueAsync(_queue).WithTimeout())!.Ready);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_worker_is_refused_by_a_queue_that_broadcasts_and_takes_nothing_from_it(ConsumeTransport transport)
    {
        _ = await _client.ChangeSettingsAsync(_queue, new QueueSettingsChange { Policy = Broadcast }).WithTimeout();
        await _client.PutAsync(_queue, "news").WithTimeout();
        var options = new HandlerOptions { Consume = new ConsumeOptions { Transport = transport } };

        var refused = await Assert.ThrowsAsync<PushQueueException>(
            () => _client.HandleAsync(_queue, (_, _) => Task.CompletedTask, options).WithTimeout());

        Assert.Equal(ProblemTypes.NotRoundRobin, refused.Type);
        Assert.Equal(1, (await _client.GetQueueAsync(_queue).WithTimeout())!.Ready);
    }

    [Theory]
    [InlineData("one")]
    [InlineData("many")]
    [InlineData("waiting")]
    [InlineData("command")]
    [InlineData("hub")]
    public async Task A_lease_makes_its_queue_roundrobin(string way)
    {
        await LeaseAsync(way);

        Assert.Equal(RoundRobin, await PolicyAsync());
    }

    [Theory]
    [InlineData("one")]
    [InlineData("many")]
    [InlineData("command")]
    [InlineData("hub")]
    public async Task A_lease_leaves_the_policy_of_a_queue_that_exists(string way)
    {
        await _client.PutAsync(_queue, "news").WithTimeout();

        await LeaseAsync(way);
        await LeaseAsync(way);

        Assert.Equal(Broadcast, await PolicyAsync());
    }

    [Fact]
    public async Task A_take_and_a_look_make_no_queue()
    {
        Assert.Null(await _client.TakeAsync(_queue).WithTimeout());
        Assert.Empty(await _client.BrowseAsync(_queue).ToListAsync().AsTask().WithTimeout());

        Assert.Null(await _client.GetQueueAsync(_queue).WithTimeout());
    }

    [Theory]
    [InlineData("one")]
    [InlineData("many")]
    [InlineData("envelopes")]
    [InlineData("command")]
    [InlineData("hub")]
    public async Task A_put_sets_the_policy_of_a_queue_that_has_none_yet_and_of_no_other(string way)
    {
        await PutAsync(way, RoundRobin);
        Assert.Equal(RoundRobin, await PolicyAsync());

        await PutAsync(way, Broadcast);
        Assert.Equal((RoundRobin, 2L), (await PolicyAsync(), (await _client.GetQueueAsync(_queue).WithTimeout())!.Ready));
    }

    [Fact]
    public async Task A_policy_that_does_not_exist_is_refused()
    {
        var put = await Assert.ThrowsAsync<PushQueueException>(() => PutAsync("one", "random"));
        var stream = await Assert.ThrowsAsync<PushQueueException>(
            () => Consume(new ConsumeOptions { Policy = "random" }).FirstAsync().AsTask().WithTimeout());

        Assert.Equal((ProblemTypes.BadOption, ProblemTypes.BadOption), (put.Type, stream.Type));
        Assert.Null(await _client.GetQueueAsync(_queue).WithTimeout());
    }

    private MessageStream Consume(ConsumeOptions options) => _client.ConsumeAsync(_queue, options);

    private async Task<string?> PolicyAsync() => (await _client.GetQueueAsync(_queue).WithTimeout())?.Policy;

    private Task ConsumerAsync(string queue) =>
        Waiting.UntilAsync(async () => (await _client.GetConsumersAsync(queue)).Count > 0, "a consumer");

    private async Task LeaseAsync(string way)
    {
        switch (way)
        {
            case "one":
                _ = await _client.LeaseAsync(_queue, TimeSpan.FromMinutes(1)).WithTimeout();
                break;
            case "many":
                _ = await _client.LeaseManyAsync(_queue, 10, TimeSpan.FromMinutes(1)).WithTimeout();
                break;
            case "waiting":
                _ = await _client.LeaseAsync(_queue, TimeSpan.FromMinutes(1), wait: TimeSpan.FromMilliseconds(100)).WithTimeout();
                break;
            case "command":
                await CommandAsync(new { cmd = "lease", queue = _queue });
                break;
            default:
                await using (var hub = await HubAsync())
                {
                    _ = await hub.InvokeAsync<JsonElement>("Lease", _queue, new { ttr = "1m" }).WithTimeout();
                }

                break;
        }
    }

    private async Task PutAsync(string way, string policy)
    {
        var options = new PutOptions { Policy = policy };
        switch (way)
        {
            case "one":
                _ = await _client.PutAsync(_queue, "x", options).WithTimeout();
                break;
            case "many":
                _ = await _client.PutManyAsync(_queue, [1], TestJson.Default.Int32, options).WithTimeout();
                break;
            case "envelopes":
                _ = await _client.PutManyAsync(_queue, [PutMessage.Text("x", options)]).WithTimeout();
                break;
            case "command":
                await CommandAsync(new { cmd = "put", queue = _queue, value = 1, policy });
                break;
            default:
                await using (var hub = await HubAsync())
                {
                    _ = await hub.InvokeAsync<JsonElement>("Put", _queue, 1, new { policy }).WithTimeout();
                }

                break;
        }
    }

    private async Task CommandAsync(object command)
    {
        using var http = new HttpClient { BaseAddress = Server };
        using var answer = await http.PostAsJsonAsync("/queue", command).WithTimeout();
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<HubConnection> HubAsync()
    {
        var hub = new HubConnectionBuilder().WithPushQueue(Server).Build();
        await hub.StartAsync().WithTimeout();
        return hub;
    }
}
