using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PushQueue.Client;
using PushQueue.Testing;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Testing;

/// <summary>PushQueue.Testing as the tests of an application use it.</summary>
public sealed class TestServerTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task Messages_of_every_client_are_recorded_in_their_order_though_they_were_taken()
    {
        await using var queue = PushQueueTestServer.Start();
        using var http = new HttpClient { BaseAddress = queue.BaseAddress };

        await queue.Client.PutAsync("orders", new Order(1, "tea"), new PutOptions
        {
            Key = "ann",
            Priority = 3,
            Headers = new Dictionary<string, string> { ["shop"] = "north" },
        }).WithTimeout();
        await queue.RemoteClient.PutManyAsync("orders", [new Order(2, "milk"), new Order(3, "salt")]).WithTimeout();
        using var answer = await http.PostAsync("/q/orders", new StringContent("raw")).WithTimeout();
        await queue.Client.PutAsync("others", "x").WithTimeout();
        Assert.NotNull(await queue.Client.TakeAsync("orders").WithTimeout());

        var messages = queue.MessagesOf("orders");
        Assert.Equal(["tea", "milk", "salt"], messages.Take(3).Select(static message => message.Read<Order>()!.Item));
        Assert.Equal("raw", messages[3].Text);
        var first = messages[0];
        Assert.Equal(("orders", "1", "ann", 3, "north"), (first.Queue, first.Id, first.Key, first.Priority, first.Headers["shop"]));
        Assert.Empty(queue.MessagesOf("nothing"));
    }

    [Fact]
    public async Task A_put_of_a_known_id_is_not_recorded_a_second_time()
    {
        await using var queue = PushQueueTestServer.Start();

        await queue.Client.PutAsync("orders", "one", new PutOptions { Id = "a" }).WithTimeout();
        await queue.Client.PutAsync("orders", "two", new PutOptions { Id = "a" }).WithTimeout();

        Assert.Equal("one", Assert.Single(queue.MessagesOf("orders")).Text);
    }

    [Fact]
    public async Task A_message_that_comes_later_is_waited_for_by_its_value()
    {
        await using var queue = PushQueueTestServer.Start();
        var waiting = queue.WaitForAsync<Order>("orders", static order => order.Number == 8);
        var first = queue.WaitForAsync("orders");
        Assert.False(waiting.IsCompleted);

        await queue.Client.PutAsync("orders", "no order").WithTimeout();
        await queue.Client.PutAsync("orders", new Order(7, "tea")).WithTimeout();
        await queue.RemoteClient.PutAsync("orders", new Order(8, "milk")).WithTimeout();

        Assert.Equal("milk", (await waiting.WithTimeout()).Item);
        Assert.Equal("no order", (await first.WithTimeout()).Text);
        Assert.Equal(3, (await queue.WaitForCountAsync("orders", 3).WithTimeout()).Count);
    }

    [Fact]
    public async Task An_expectation_that_fails_says_what_it_expected_and_what_there_was()
    {
        await using var queue = PushQueueTestServer.Start();
        queue.Patience = TimeSpan.FromMilliseconds(50);
        await queue.Client.PutAsync("orders", new Order(7, "tea"), new PutOptions { Key = "ann" }).WithTimeout();
        await queue.Client.PutAsync("orders", PutMessage.Bytes(new byte[] { 1, 2 })).WithTimeout();

        var value = await FailsAsync(() => queue.WaitForAsync<Order>("orders", order => order.Number == 8));
        var message = await FailsAsync(() => queue.WaitForAsync("none"));
        var count = await FailsAsync(() => queue.WaitForCountAsync("orders", 1));
        var state = await FailsAsync(() => queue.WaitUntilAsync("orders", info => info.Counters.Acked == 2));
        var rest = await FailsAsync(() => queue.WaitUntilEmptyAsync("orders"));

        Assert.Equal(
            "No Order of 'orders' fitted order => order.Number == 8 within 00:00:00.0500000. The queue got 2 messages:\n"
            + "  1: {\"number\":7,\"item\":\"tea\"} (application/json, key 'ann')\n  2: 2 bytes (application/octet-stream)",
            value);
        Assert.Equal("No message of 'none' came within 00:00:00.0500000. The queue got no message.", message);
        Assert.StartsWith("'orders' got more than 1 messages.", count, StringComparison.Ordinal);
        Assert.Contains("info => info.Counters.Acked == 2", state, StringComparison.Ordinal);
        Assert.Contains("It has 2 ready, 0 delayed and 0 leased messages; 2 were put", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delays_leases_and_times_to_live_pass_when_the_test_moves_the_clock()
    {
        await using var queue = PushQueueTestServer.Start();
        await queue.Client.PutAsync("later", "x", new PutOptions { Delay = Hour }).WithTimeout();
        await queue.Client.PutAsync("short", "x", new PutOptions { TimeToLive = Hour }).WithTimeout();
        await queue.Client.PutAsync("work", "x").WithTimeout();
        var lease = await queue.Client.LeaseAsync("work", Hour).WithTimeout();
        Assert.Null(await queue.Client.TakeAsync("later").WithTimeout());

        queue.Advance(Hour - TimeSpan.FromSeconds(1));
        Assert.Null(await queue.Client.TakeAsync("later").WithTimeout());
        Assert.Equal(1, (await queue.Client.GetQueueAsync("work").WithTimeout())!.Leased);
        queue.Advance(TimeSpan.FromSeconds(2));

        await queue.WaitUntilAsync("later", static info => info.Ready == 1).WithTimeout();
        await queue.WaitUntilAsync("short", static info => info.Counters.Expired == 1).WithTimeout();
        await queue.WaitUntilAsync("work", static info => info.Ready == 1).WithTimeout();
        Assert.False(await lease!.AckAsync().WithTimeout());
        Assert.Equal(2, (await queue.Client.TakeAsync("work").WithTimeout())!.Attempt);
    }

    [Fact]
    public async Task A_take_that_waits_gets_a_delayed_message_when_its_time_has_come()
    {
        await using var queue = PushQueueTestServer.Start();
        await queue.Client.PutAsync("later", "x", new PutOptions { Delay = TimeSpan.FromSeconds(30) }).WithTimeout();
        var taking = queue.Client.TakeAsync("later", wait: TimeSpan.FromMinutes(1));

        queue.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal("x", (await taking.WithTimeout())!.Text);
    }

    [Fact]
    public async Task Handlers_of_the_application_under_test_run_against_it_and_their_retries_follow_the_clock()
    {
        await using var queue = PushQueueTestServer.Start();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(queue.Client).AddPushQueueClient();
        using var host = builder.Build();
        var attempts = 0;
        host.MapQueue("orders", (Order order) =>
        {
            if (Interlocked.Increment(ref attempts) == 1)
            {
                throw new InvalidOperationException("The warehouse is closed.");
            }
        }, static options => options.RetryDelay = Hour);
        await host.StartAsync().WithTimeout();

        await queue.Client.PutAsync("orders", new Order(7, "tea")).WithTimeout();
        await queue.WaitUntilAsync("orders", static info => info.Delayed == 1).WithTimeout();
        queue.Advance(Hour);
        await queue.WaitUntilEmptyAsync("orders").WithTimeout();

        Assert.Equal(2, attempts);
        await host.StopAsync().WithTimeout();
    }

    [Fact]
    public async Task Dead_letters_and_copies_are_waited_for_though_no_program_has_put_them()
    {
        await using var queue = PushQueueTestServer.Start();
        await queue.Client.ChangeSettingsAsync("audit", new QueueSettingsChange { Subscriptions = [new QueueSubscription("orders", null)] })
            .WithTimeout();

        await queue.Client.PutAsync("orders", "bad", new PutOptions { Policy = "roundrobin" }).WithTimeout();
        var lease = await queue.Client.LeaseAsync("orders", Hour).WithTimeout();
        await lease!.DeadLetterAsync("No item.").WithTimeout();

        Assert.Equal("No item.", (await queue.WaitForAsync("orders.dead").WithTimeout()).Resting!.LastError);
        Assert.Equal("bad", (await queue.WaitForAsync("audit").WithTimeout()).Text);
    }

    [Fact]
    public async Task Many_servers_run_at_once_and_leave_nothing_behind()
    {
        var folders = Folders();
        var servers = await Task.WhenAll(Enumerable.Range(0, 4).Select(static _ => PushQueueTestServer.StartAsync())).WithTimeout();

        await Task.WhenAll(servers.Select(static server => server.Client.PutAsync("q", "x"))).WithTimeout();
        Assert.All(servers, static server => Assert.Single(server.MessagesOf("q")));
        Assert.Equal(4, servers.Select(static server => server.BaseAddress.Port).Distinct().Count());
        Assert.All(servers, static server => Assert.True(server.BaseAddress.IsLoopback));
        var own = Folders().Except(folders).ToList();
        foreach (var server in servers)
        {
            await server.DisposeAsync().AsTask().WithTimeout();
        }

        Assert.True(own.Count >= 4);
        Assert.True(own.Count(Directory.Exists) <= own.Count - 4);
        using var http = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(servers[0].BaseAddress).WithTimeout());

        static HashSet<string> Folders() => [.. Directory.EnumerateDirectories(Path.GetTempPath(), "pushqueue-test-*")];
    }

    [Fact]
    public async Task A_server_with_a_handler_that_holds_a_message_stops()
    {
        var queue = PushQueueTestServer.Start();
        await queue.Client.PutAsync("q", "x", new PutOptions { Policy = "roundrobin" }).WithTimeout();
        await using var messages = queue.Client.ConsumeAsync("q", new ConsumeOptions { Ack = AckMode.Manual }).GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());

        await queue.DisposeAsync().AsTask().WithTimeout();
    }

    [Fact]
    public void Options_of_the_queue_are_checked_and_a_failed_start_leaves_nothing()
    {
        var error = Assert.Throws<global::PushQueue.Queues.PushQueueStartException>(
            () => PushQueueTestServer.Start(static options => options.Queues.MessageBytesMax = 0));

        Assert.Contains("MessageBytesMax", error.Message, StringComparison.Ordinal);
    }

    private static async Task<string> FailsAsync(Func<Task> expectation) =>
        (await Assert.ThrowsAsync<PushQueueTestException>(() => expectation().WithTimeout())).Message;

    private sealed record Order(int Number, string Item);
}
