using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Tests.Support;
using PushQueue.Transports;
using PushQueue.Transports.SignalR;
using Xunit;

namespace PushQueue.Tests.Transports.SignalR;

/// <summary>The hub's streams for people who watch queues and nodes.</summary>
public sealed class OverviewWatchTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_watcher_gets_its_page_first_and_then_only_the_rows_that_changed()
    {
        await PutAsync("a", 1);
        await PutAsync("b", 3);
        await PutAsync("c", 2);
        await using var watch = await HubWatchClient.OpenAsync(_server, "WatchQueues", new { sort = "-ready", limit = 2 });

        var first = await watch.NextAsync();
        Assert.Equal(["b", "c"], Names(first, "order"));
        Assert.Equal(["b", "c"], Names(first, "rows"));
        Assert.Equal(
            (3, 3, 6),
            (Number(first, "matching"), Number(first.GetProperty("sums"), "queues"), Number(first.GetProperty("sums"), "ready")));

        // The rates of what was just put move on for a while; then there is nothing to say.
        _ = await watch.NextAsync(item => item.GetProperty("rows").GetArrayLength() == 0 && !item.TryGetProperty("order", out _));
        await PutAsync("c", 2);
        var changed = await watch.NextAsync(item => item.GetProperty("rows").GetArrayLength() > 0);
        Assert.Equal(["c", "b"], Names(changed, "order"));
        Assert.Equal(["c"], Names(changed, "rows"));
        Assert.Equal(4, Number(changed.GetProperty("rows")[0], "ready"));
    }

    [Fact]
    public async Task A_view_is_filtered_chosen_and_paged()
    {
        for (var i = 0; i < 12; i++)
        {
            await PutAsync($"Orders-{i:00}", 1);
        }

        await PutAsync("other", 1);
        await _server.PostAsync("/control/Orders-03", """{"status":"stop"}""", "application/json");

        Assert.Equal(
            ["Orders-05", "Orders-06"],
            Names(await FirstAsync(new { filter = "orders", sort = "queue", offset = 5, limit = 2 }), "order"));
        Assert.Equal(["Orders-03"], Names(await FirstAsync(new { show = "stopped" }), "order"));
        Assert.Equal(13, Number(await FirstAsync(new { show = "unheard", limit = 1 }), "matching"));
        Assert.Equal("other", Names(await FirstAsync(new { sort = "-queue", limit = 1 }), "order")[0]);
        Assert.Equal(["Orders-00"], Names(await FirstAsync(new { sort = "-oldest", limit = 1 }), "order"));
    }

    [Fact]
    public async Task Dead_letters_are_summed_once_and_are_not_messages_that_nobody_listens_to()
    {
        await PutAsync("work?maxAttempts=1", 1);
        using var lease = await _server.Client.GetAsync("/q/work?ttr=30").WithTimeout();
        var (id, receipt) = (lease.Headers.GetValues("PushQueue-Id").Single(), lease.Headers.GetValues("PushQueue-Receipt").Single());
        Assert.Equal(204, (await _server.PostAsync($"/q/work/messages/{id}/release?receipt={receipt}")).Status);

        var unheard = await FirstAsync(new { show = "unheard" });

        var sums = unheard.GetProperty("sums");
        Assert.Equal((0, 1, 0), (Number(sums, "ready"), Number(sums, "dead"), Number(unheard, "matching")));
    }

    [Fact]
    public async Task A_queue_whose_messages_are_leased_by_requests_has_somebody_who_listens()
    {
        await PutAsync("leased", 2);
        await PutAsync("alone", 2);
        using var lease = await _server.Client.GetAsync("/q/leased?ttr=30").WithTimeout();

        var unheard = await FirstAsync(new { show = "unheard" });

        Assert.Equal(["alone"], Names(unheard, "order"));
    }

    [Theory]
    [InlineData("""{"sort":"colour"}""", "colour")]
    [InlineData("""{"limit":0}""", "limit")]
    [InlineData("""{"nope":1}""", "nope")]
    [InlineData("[]", "object")]
    public void A_wrong_option_is_named(string options, string named)
    {
        var e = Assert.Throws<HubException>(() => WatchOptions.Read(JsonDocument.Parse(options).RootElement));

        Assert.Contains("bad-option", e.Message, StringComparison.Ordinal);
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_queue_is_watched_with_its_settings_and_consumers_which_come_again_when_they_change()
    {
        await using var watch = await HubWatchClient.OpenAsync(_server, "WatchQueue", "test");
        var first = await watch.NextAsync();
        Assert.Equal(JsonValueKind.Null, first.GetProperty("info").ValueKind);
        Assert.Equal("broadcast", first.GetProperty("settings").GetProperty("policy").GetString());

        await PutAsync("test", 2);
        var made = await watch.NextAsync(item => item.GetProperty("info").ValueKind == JsonValueKind.Object);
        Assert.Equal(2, Number(made.GetProperty("info"), "ready"));

        await _server.PostAsync("/p/test", """{"policy":"roundrobin"}""", "application/json");
        var changed = await watch.NextAsync(item => item.TryGetProperty("settings", out _));
        Assert.Equal("roundrobin", changed.GetProperty("settings").GetProperty("policy").GetString());

        using var listener = await _server.Client.GetAsync("/c/test?ack=manual", HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        var joined = await watch.NextAsync(item => item.TryGetProperty("listeners", out var all) && Number(all, "total") == 1);
        Assert.Equal("comet", joined.GetProperty("listeners").GetProperty("consumers")[0].GetProperty("transport").GetString());
    }

    [Fact]
    public async Task The_nodes_are_watched_with_what_happened_told_once()
    {
        await using var watch = await HubWatchClient.OpenAsync(_server, "WatchNodes");
        var first = await watch.NextAsync();
        var node = first.GetProperty("nodes")[0];
        Assert.True(node.GetProperty("memoryBytes").GetInt64() > 0);
        Assert.True(node.GetProperty("disk").GetProperty("totalBytes").GetInt64() > 0);
        Assert.Contains("started", Codes(first));

        await _server.PostAsync("/control/test", """{"status":"stop"}""", "application/json");
        var told = await watch.NextAsync(item => item.GetProperty("events").GetArrayLength() > 0);
        Assert.Equal(["settings-changed"], Codes(told));
    }

    [Fact]
    public async Task Who_stops_watching_leaves_nothing_behind()
    {
        var watching = _server.Services.GetRequiredService<WatcherPlaces>();
        var watch = await HubWatchClient.OpenAsync(_server, "WatchQueues", (object?)null);
        _ = await watch.NextAsync();
        Assert.Equal(1, watching.Count);

        await watch.DisposeAsync();

        await Eventually.TrueAsync(() => watching.Count == 0, "the watcher's place is free");
    }

    private async Task<JsonElement> FirstAsync(object options)
    {
        await using var watch = await HubWatchClient.OpenAsync(_server, "WatchQueues", options);
        return await watch.NextAsync();
    }

    private async Task PutAsync(string queue, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(201, (await _server.PostAsync($"/q/{queue}", "x")).Status);
        }
    }

    private static int Number(JsonElement json, string name) => json.GetProperty(name).GetInt32();

    private static string[] Codes(JsonElement item) =>
        [.. item.GetProperty("events").EnumerateArray().Select(found => found.GetProperty("code").GetString()!)];

    private static string[] Names(JsonElement item, string property) =>
        [
            .. item.GetProperty(property)
                .EnumerateArray()
                .Select(name => (name.ValueKind == JsonValueKind.String ? name : name.GetProperty("queue")).GetString()!)
        ];
}
