using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.InProcess;

/// <summary>The contract of clients, in the process that hosts the queue, and what only such a client meets.</summary>
public sealed class InProcessClientTests : ClientContract
{
    private protected override IPushQueueClient NewClient(PushQueueServer server) => server.Services.GetRequiredService<IPushQueueClient>();

    [Fact]
    public async Task Answers_have_the_same_fields_and_values_as_over_HTTP()
    {
        using var http = new PushQueueClient(Server.Address.AbsoluteUri);
        await Client.ChangeSettingsAsync("q", new QueueSettingsChange
        {
            Policy = "roundrobin",
            Ttr = "7s",
            MaxAttempts = 3,
            RetryDelay = "2s",
            DedupWindow = "1h",
            MaxMessages = 100,
            MaxBytes = 1_000_000,
            Overflow = "drop-oldest",
            History = new HistorySettings { Messages = 5, Age = "1m", PerKey = true },
            DeadLetter = false,
            Expires = "1h",
            KeyInFlight = 2,
            Fair = true,
            Subscriptions = [new QueueSubscription("other") { From = "earliest" }],
        }).WithTimeout();
        await Client.PutAsync("q", "one", new PutOptions { Key = "k" }).WithTimeout();
        await using var stream = Client.ConsumeAsync("q", new ConsumeOptions { Ack = AckMode.Manual, Worker = "w" }).GetAsyncEnumerator();
        Assert.True(await stream.MoveNextAsync().AsTask().WithTimeout());

        Assert.Equal(Fields(await http.GetSettingsAsync("q")), Fields(await Client.GetSettingsAsync("q")));
        Assert.Equal(Fields(await http.GetQueueAsync("q")), Fields(await Client.GetQueueAsync("q")));
        Assert.Equal(Fields((await http.GetConsumersAsync("q"))[0]), Fields((await Client.GetConsumersAsync("q"))[0]));
        await Client.PutAsync("leased", "two").WithTimeout();
        Assert.Equal(200, (await Server.GetAsync("/q/leased?ttr=30&worker=w2")).Status);
        var (workers, own) = (await http.GetWorkersAsync(), await Client.GetWorkersAsync());
        Assert.Equal(Fields(workers.Workers[0]), Fields(own.Workers[0]));
    }

    /// <summary>One line per field. Without rates and ages, which change, and times, which JSON rounds to milliseconds.</summary>
    private static string Fields(object? answer) => string.Join(
        '\n',
        answer!.GetType().GetProperties()
            .Where(static field => field.Name
                is not ("PutPerSecond" or "DeliveredPerSecond" or "OldestAgeSeconds" or "Since" or "LastSeen"))
            .Select(field => $"{field.Name}: {System.Text.Json.JsonSerializer.Serialize(field.GetValue(answer))}"));

    [Fact]
    public async Task A_program_that_reads_too_slowly_misses_nothing()
    {
        var stream = Client.ConsumeAsync("q");
        await using var messages = stream.GetAsyncEnumerator();
        var next = messages.MoveNextAsync().AsTask();
        await Eventually.TrueAsync(async () => (await Client.GetConsumersAsync("q")).Count == 1, "the consumer has joined");

        // More than its inbox and its buffer hold.
        for (var i = 0; i < 40; i++)
        {
            await Client.PutAsync("q", PutMessage.Bytes(new byte[500_000])).WithTimeout();
        }

        Assert.True(await next.WithTimeout());
        for (var offset = 1; offset <= 40; offset++)
        {
            Assert.Equal(offset, messages.Current.Offset);
            if (offset < 40)
            {
                Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
            }
        }
    }

    [Fact]
    public async Task A_server_that_stops_ends_the_stream_with_its_reason()
    {
        await using var messages = Client.ConsumeAsync("q").GetAsyncEnumerator();
        var next = messages.MoveNextAsync().AsTask();
        await Eventually.TrueAsync(async () => (await Client.GetConsumersAsync("q")).Count == 1, "the consumer has joined");

        await Server.StopAsync().WithTimeout();

        var error = await Assert.ThrowsAsync<PushQueueException>(() => next.WithTimeout());
        Assert.Equal(ProblemTypes.ShuttingDown, error.Type);
        error = await Assert.ThrowsAsync<PushQueueException>(() => Client.PutAsync("q", "x").WithTimeout());
        Assert.Equal(ProblemTypes.ShuttingDown, error.Type);
    }

    [Fact]
    public async Task Consumers_of_the_process_and_of_the_network_share_a_queue()
    {
        await Client.ChangeSettingsAsync("q", new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        using var http = new PushQueueClient(Server.Address.AbsoluteUri);
        var options = new ConsumeOptions { Ack = AckMode.Manual };
        await using var here = Client.ConsumeAsync("q", options).GetAsyncEnumerator();
        await using var there = http.ConsumeAsync("q", options).GetAsyncEnumerator();
        var nextHere = here.MoveNextAsync().AsTask();
        var nextThere = there.MoveNextAsync().AsTask();
        await Eventually.TrueAsync(async () => (await Client.GetConsumersAsync("q")).Count == 2, "both have joined");

        await Client.PutManyAsync("q", [PutMessage.Text("1"), PutMessage.Text("2")]).WithTimeout();

        Assert.True(await nextHere.WithTimeout());
        Assert.True(await nextThere.WithTimeout());
        Assert.Equal(["1", "2"], new[] { here.Current.Text, there.Current.Text }.Order());
        var transports = (await Client.GetConsumersAsync("q").WithTimeout()).Select(static one => one.Transport);
        Assert.Equal(["in-process", "websocket"], transports.Order());
    }

    [Fact]
    public async Task An_ack_waits_for_a_store_that_is_out_of_reach()
    {
        await using var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var server = await PushQueueServer.StartAsync(options => options.Storage.Redis = redis.Address);
        var client = NewClient(server);
        await client.PutAsync("q", "work").WithTimeout();
        var leased = await client.LeaseAsync("q", TimeSpan.FromHours(1)).WithTimeout();
        await redis.KillAsync();
        await Assert.ThrowsAsync<PushQueueException>(() => client.AckAsync("q", leased!.Id, leased.Receipt!).WithTimeout());

        var ack = leased!.AckAsync();
        var refused = await Assert.ThrowsAsync<PushQueueException>(() => client.GetQueueAsync("q").WithTimeout());
        Assert.False(ack.IsCompleted);
        await redis.StartAgainAsync();

        Assert.Equal(ProblemTypes.StoreUnavailable, refused.Type);
        Assert.True(await ack.WithTimeout());
        Assert.Equal(1, (await client.GetQueueAsync("q").WithTimeout())!.Counters.Acked);
    }

    [Fact]
    public async Task A_stream_that_waits_for_its_store_says_so_once()
    {
        await using var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var server = await PushQueueServer.StartAsync(options => options.Storage.Redis = redis.Address);
        var client = NewClient(server);
        await client.PutAsync("q", "work").WithTimeout();
        await redis.KillAsync();
        var tries = 0;
        var stream = client.ConsumeAsync("q", new ConsumeOptions { Ack = AckMode.Manual, Policy = "roundrobin", WaitForServer = true });
        stream.Reconnecting += _ => Interlocked.Increment(ref tries);
        await using var messages = stream.GetAsyncEnumerator();

        var next = messages.MoveNextAsync().AsTask();
        await Eventually.TrueAsync(() => Volatile.Read(ref tries) > 1, "the stream tries again");
        await redis.StartAgainAsync();

        Assert.True(await next.WithTimeout());
        var waits = server.Log.Entries.Where(static entry => entry.Text.Contains("waits for the store", StringComparison.Ordinal)).ToList();
        Assert.Single(waits, static entry => entry.Level == Microsoft.Extensions.Logging.LogLevel.Warning);
        Assert.All(waits, static entry => Assert.Contains("stream of q", entry.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void Only_bodies_that_no_program_can_change_are_kept_without_a_copy()
    {
        byte[] own = [1, 2, 3];

        Assert.True(PutMessage.Text("text").IsConstant);
        Assert.True(PutMessage.Json(new Order(1, "tea"), ContractJson.Default.Order).IsConstant);
        Assert.False(PutMessage.Bytes(own).IsConstant);
        Assert.False(new PutMessage(own, "text/plain").IsConstant);
        Assert.False((PutMessage.Text("text") with { Body = own }).IsConstant);
    }
}
