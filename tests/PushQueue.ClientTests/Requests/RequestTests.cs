using PushQueue.Client;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Requests;

/// <summary>Every call against a real server.</summary>
public sealed class RequestTests : NodeTests
{
    [Fact]
    public async Task Bodies_come_back_as_they_were_put()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        byte[] bytes = [0xFF, 0x00, 0x80];

        await Node.Client.PutAsync(queue, "Grüße, \"x\"\n").WithTimeout();
        await Node.Client.PutAsync(queue, new Order(7, "ümlaut"), TestJson.Default.Order).WithTimeout();
        await Node.Client.PutAsync(queue, PutMessage.Bytes(bytes)).WithTimeout();
        await Node.Client.PutAsync(queue, new PutMessage("\"text\""u8.ToArray(), "application/json")).WithTimeout();

        var one = await Node.Client.TakeAsync(queue).WithTimeout();
        Assert.Equal(("Grüße, \"x\"\n", "text/plain"), (one!.Text, one.ContentType));
        var rest = await Node.Client.TakeManyAsync(queue, 10).WithTimeout();
        Assert.Equal(new Order(7, "ümlaut"), rest[0].Read(TestJson.Default.Order));
        Assert.Equal(bytes, rest[1].Body.ToArray());
        Assert.Equal(("\"text\"", "text"), (rest[2].Text, rest[2].Read(TestJson.Default.String)));
        Assert.Null(await Node.Client.TakeAsync(queue).WithTimeout());
    }

    [Fact]
    public async Task Values_need_no_source_generation()
    {
        var queue = await Node.NewQueueAsync("roundrobin");

        await Node.Client.PutAsync(queue, new { Number = 7, Item = "tea" }).WithTimeout();
        await Node.Client.PutManyAsync(queue, [new Order(8, "milk")], new PutOptions { Priority = 1 }).WithTimeout();
        await Node.Client.PutAsync(queue, 9).WithTimeout();

        var taken = await Node.Client.TakeManyAsync(queue, 10).WithTimeout();
        Assert.Equal("""{"number":7,"item":"tea"}""", taken[1].Text);
        Assert.Equal(new Order(8, "milk"), taken[0].Read<Order>());
        Assert.Equal(9, taken[2].Read<int>());
        await Node.Client.PutAsync(queue, new Order(1, "x")).WithTimeout();
        Assert.Equal(new Order(1, "x"), (await Node.Client.ConsumeAsync<Order>(queue).FirstAsync().AsTask().WithTimeout()).Value);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(100_000)]
    [InlineData(-1)]
    public async Task A_time_limit_that_no_timer_can_hold_is_as_good_as_none(int days)
    {
        var limit = days < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromDays(days);
        var longest = days < 0 ? TimeSpan.MaxValue : limit;
        using var client = Node.NewClient(options =>
        {
            options.RequestTimeout = limit;
            options.Retry.LongestDelay = longest;
            options.Reconnect.LongestDelay = longest;
        });
        var queue = await Node.NewQueueAsync("roundrobin");
        using var stop = new CancellationTokenSource();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = client.HandleAsync(
            queue, (_, _) => Task.FromResult(done.TrySetResult()), new HandlerOptions { DrainTimeout = limit }, stop.Token);

        await client.PutAsync(queue, "x").WithTimeout();
        await done.Task.WithTimeout();
        await stop.CancelAsync();
        await running.WithTimeout();

        Assert.Null(await client.TakeAsync(queue, wait: TimeSpan.FromMilliseconds(1)).WithTimeout());
    }

    [Fact]
    public async Task Many_are_put_with_their_options()
    {
        var queue = await Node.NewQueueAsync("roundrobin");

        var plain = await Node.Client.PutManyAsync(queue, Enumerable.Range(0, 5000), TestJson.Default.Int32).WithTimeout();
        var mixed = await Node.Client.PutManyAsync(
            queue,
            [PutMessage.Text("first", new PutOptions { Id = "a/b", Priority = 9 }),
            PutMessage.Json(new Order(1, "x"), TestJson.Default.Order)]).WithTimeout();

        Assert.Equal(5000, plain.Ids.Count);
        Assert.Equal("a/b", mixed.Ids[0]);
        var first = await Node.Client.TakeAsync(queue).WithTimeout();
        Assert.Equal(("a/b", "first", 9), (first!.Id, first.Text, first.Priority));
        Assert.Empty((await Node.Client.PutManyAsync(queue, Array.Empty<int>(), TestJson.Default.Int32).WithTimeout()).Ids);
    }

    [Fact]
    public async Task A_batch_carries_any_bytes_of_any_kind()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];

        await Node.Client.PutManyAsync(
            queue,
            [
                PutMessage.Bytes(bytes),
                new PutMessage("{\"a\":1}"u8.ToArray(), "application/vnd.order+json", new PutOptions { Id = "j" }),
                new PutMessage("<a/>"u8.ToArray(), "image/svg+xml"),
                PutMessage.Bytes(default),
                PutMessage.Text("Grüße"),
            ]).WithTimeout();

        foreach (var (type, body) in ((string, byte[])[])
            [
                ("application/octet-stream", bytes), ("application/vnd.order+json", [.. "{\"a\":1}"u8]), ("image/svg+xml", [.. "<a/>"u8]),
                ("application/octet-stream", []), ("text/plain", [.. "Grüße"u8]),
            ])
        {
            var message = await Node.Client.TakeAsync(queue).WithTimeout();
            Assert.Equal((type, Convert.ToHexString(body)), (message!.ContentType, Convert.ToHexString(message.Body.Span)));
        }
    }

    [Fact]
    public async Task What_is_released_unstarted_is_no_failed_attempt()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "work", new PutOptions { MaxAttempts = 1 }).WithTimeout();
        for (var i = 0; i < 2; i++)
        {
            var lease = await Node.Client.LeaseAsync(queue, TimeSpan.FromMinutes(1)).WithTimeout();
            Assert.True(await lease!.ReleaseUnstartedAsync().WithTimeout());
        }

        var last = await Node.Client.LeaseAsync(queue, TimeSpan.FromMinutes(1)).WithTimeout();
        await Node.Client.ReleaseUnstartedAsync(queue, last!.Id, last.Receipt!, TimeSpan.FromMilliseconds(1)).WithTimeout();

        Assert.Equal(1, (await Node.Client.TakeAsync(queue, wait: TimeSpan.FromSeconds(50)).WithTimeout())!.Attempt);
    }

    [Fact]
    public async Task A_lease_is_touched_released_and_acked()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "work").WithTimeout();

        var first = await Node.Client.LeaseAsync(queue, TimeSpan.FromMinutes(1)).WithTimeout();
        Assert.True(await first!.TouchAsync(TimeSpan.FromMinutes(2)).WithTimeout());
        Assert.True(await first.ReleaseAsync(error: "no").WithTimeout());
        Assert.False(await first.AckAsync().WithTimeout());
        var second = Assert.Single(await Node.Client.LeaseManyAsync(queue, 10, TimeSpan.FromMinutes(1)).WithTimeout());

        Assert.Equal(2, second.Attempt);
        var lost = await Assert.ThrowsAsync<PushQueueException>(() => Node.Client.AckAsync(queue, second.Id, first.Receipt!)).WithTimeout();
        Assert.Equal((ProblemTypes.LeaseLost, 409), (lost.Type, lost.Status));
        Assert.Empty(await Node.Client.AckManyAsync(queue, [second]).WithTimeout());
        Assert.Null(await Node.Client.FindAsync(queue, second.Id).WithTimeout());
    }

    [Fact]
    public async Task Resting_messages_are_browsed_found_and_cancelled()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        for (var i = 0; i < 5; i++)
        {
            await Node.Client.PutAsync(queue, $"{i}", new PutOptions { Id = $"id {i}", Delay = TimeSpan.FromHours(1) }).WithTimeout();
        }

        var found = await Node.Client.FindAsync(queue, "id 3").WithTimeout();
        var cancelled = (await Node.Client.CancelAsync(
            queue, "id 3").WithTimeout(), await Node.Client.CancelAsync(queue, "id 3").WithTimeout());
        await Node.Client.RescheduleAsync(queue, "id 4", TimeSpan.Zero).WithTimeout();

        Assert.Equal(("3", "delayed"), (found!.Text, found.Resting!.State));
        Assert.NotNull(found.Resting.AvailableAt);
        Assert.Equal((true, false), cancelled);
        Assert.Equal(["id 0", "id 1", "id 2"], await Node.Client.BrowseAsync(
            queue, "delayed", pageSize: 2).Select(message => message.Id).ToListAsync());
        Assert.Equal("id 4", (await Node.Client.TakeAsync(queue, wait: TimeSpan.FromSeconds(30)).WithTimeout())!.Id);
    }

    [Fact]
    public async Task Queues_settings_workers_and_the_node_are_told()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        var settings = await Node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { MaxMessages = 5, Ttr = "45s" }).WithTimeout();
        await Node.Client.PutAsync(queue, "x").WithTimeout();
        await Node.Client.RegisterWorkerAsync(queue, "me").WithTimeout();

        Assert.Equal((5L, "45s", "roundrobin"),
            (settings.MaxMessages, settings.Ttr, (await Node.Client.GetSettingsAsync(queue).WithTimeout()).Policy));
        Assert.Equal(1, (await Node.Client.GetQueueAsync(queue).WithTimeout())!.Ready);
        Assert.Contains(queue, await Node.Client.ListQueuesAsync().Select(info => info.Queue).ToListAsync());
        Assert.Contains((await Node.Client.GetWorkersAsync().WithTimeout()).Workers, worker => worker.Worker == "me");
        Assert.True((await Node.Client.GetStatsAsync().WithTimeout()).Queues > 0);
        Assert.Empty(await Node.Client.GetConsumersAsync(queue).WithTimeout());
        await Node.Client.ForgetWorkerAsync(queue, "me").WithTimeout();
        await Node.Client.DeleteQueueAsync(queue).WithTimeout();
        Assert.Null(await Node.Client.GetQueueAsync(queue).WithTimeout());
    }

    [Fact]
    public async Task Dead_letters_are_replayed()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "bad", new PutOptions { MaxAttempts = 1 }).WithTimeout();
        await (await Node.Client.LeaseAsync(queue, TimeSpan.FromMinutes(1)).WithTimeout())!.ReleaseAsync(error: "broken").WithTimeout();

        var dead = Assert.Single(await Node.Client.BrowseAsync(queue + ".dead").ToListAsync());
        Assert.Equal(queue, dead.Resting!.DeadLetter!.Queue);
        Assert.Equal("broken", dead.Resting.LastError);
        Assert.Equal(1, await Node.Client.ReplayAsync(queue).WithTimeout());
        Assert.Equal("bad", (await Node.Client.TakeAsync(queue).WithTimeout())!.Text);
    }
}
