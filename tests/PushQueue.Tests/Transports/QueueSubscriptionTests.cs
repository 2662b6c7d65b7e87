using System.Text.Json;
using PushQueue.Security;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>The setting <c>subscriptions</c> and what it does, as clients see it.</summary>
public sealed class QueueSubscriptionTests : IAsyncLifetime
{
    private readonly KeyRing _keys = new();
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task The_setting_is_answered_as_it_was_given()
    {
        var changed = await SubscribeAsync("billing", """["orders","invoices.*",{"to":"audit","where":{"tenant":"7|8","urgent":true}},{"to":"plain"}]""");

        var expected = """["orders","invoices.*",{"to":"audit","where":{"tenant":"7|8","urgent":true}},"plain"]""";
        Assert.Equal(expected, changed.Json.GetProperty("subscriptions").GetRawText());
        Assert.Equal(expected, (await _server.GetAsync("/q/billing/settings")).Json.GetProperty("subscriptions").GetRawText());
        Assert.Equal("[]", (await SubscribeAsync("billing", "[]")).Json.GetProperty("subscriptions").GetRawText());
    }

    [Fact]
    public async Task An_entry_from_the_earliest_is_answered_as_it_was_given_and_brings_earlier_messages()
    {
        await _server.PostAsync("/q/orders", "before");
        var changed = await SubscribeAsync("billing", """[{"to":"orders","from":"latest"}]""");
        Assert.Equal("""["orders"]""", changed.Json.GetProperty("subscriptions").GetRawText());

        changed = await SubscribeAsync("audit", """[{"to":"orders","from":"earliest"},{"to":"late","from":"latest"}]""");
        await _server.PostAsync("/q/orders", "after");

        var expected = """[{"to":"orders","from":"earliest"},"late"]""";
        Assert.Equal(expected, changed.Json.GetProperty("subscriptions").GetRawText());
        Assert.Equal(expected, (await _server.GetAsync("/q/audit/settings")).Json.GetProperty("subscriptions").GetRawText());
        await Eventually.TrueAsync(
            async () => !(await _server.GetAsync("/j/audit")).Json.TryGetProperty("copying", out _), "the earlier message is copied");
        Assert.Equal("before", (await _server.GetAsync("/q/audit")).Text);
        Assert.Equal("after", (await _server.GetAsync("/q/audit")).Text);
        Assert.Equal("after", (await _server.GetAsync("/q/billing")).Text);
    }

    [Fact]
    public async Task Other_settings_leave_subscriptions_alone()
    {
        await SubscribeAsync("billing", """["orders"]""");

        var changed = await _server.SendAsync("PATCH", "/q/billing/settings", """{"maxAttempts":9,"subscriptions":null}""");

        Assert.Equal("""["orders"]""", changed.Json.GetProperty("subscriptions").GetRawText());
    }

    [Theory]
    [InlineData("put")]
    [InlineData("command")]
    [InlineData("batch")]
    [InlineData("values")]
    public async Task Every_put_tells_how_many_copies_it_made(string way)
    {
        await SubscribeAsync("billing", """["orders"]""");
        await SubscribeAsync("audit", """["ord*"]""");

        var put = way switch
        {
            "put" => await _server.PostAsync("/q/orders", "1"),
            "command" => await _server.PostAsync("/queue", """{"cmd":"put","queue":"orders","value":1}"""),
            "batch" => await _server.PostAsync("/q/orders/batch", "[1]", "application/json"),
            _ => await _server.PostAsync("/queue", """{"cmd":"put","queue":"orders","values":[1]}"""),
        };

        Assert.Equal(2, put.Json.GetProperty("copies").GetInt32());
        Assert.Equal("1", (await _server.GetAsync("/q/billing")).Text);
        Assert.Equal("1", (await _server.GetAsync("/q/audit")).Text);
        Assert.False((await _server.PostAsync("/q/billing.dead", "1")).Json.TryGetProperty("copies", out _));
    }

    [Fact]
    public async Task A_filter_decides_by_the_headers_of_the_message()
    {
        await SubscribeAsync("seven", """[{"to":"orders","where":{"tenant":"7|8"}}]""");
        await SubscribeAsync("any", """[{"to":"orders","where":["tenant"]}]""");
        await SubscribeAsync("either", """[{"to":"orders","where":"tenant=1"},{"to":"ord*","where":"region=eu"}]""");

        var copies = new List<int>();
        foreach (var headers in new[] { """{"tenant":"7"}""", """{"tenant":"1","region":"eu"}""", """{"region":"eu"}""", "{}" })
        {
            var put = await _server.PostAsync("/queue", $$"""{"cmd":"put","queue":"orders","value":1,"headers":{{headers}}}""");
            copies.Add(put.Json.TryGetProperty("copies", out var made) ? made.GetInt32() : 0);
        }

        Assert.Equal([2, 2, 1, 0], copies);
        Assert.Equal(1, await ReadyAsync("seven"));
        Assert.Equal(2, await ReadyAsync("any"));
        Assert.Equal(2, await ReadyAsync("either"));
    }

    [Fact]
    public async Task A_copy_has_key_and_headers()
    {
        await SubscribeAsync("billing", """["orders"]""");
        await _server.PostAsync("/queue", """{"cmd":"put","queue":"orders","value":1,"key":"customer-7","headers":{"tenant":"7"}}""");

        var message = (await _server.GetAsync("/q/billing/messages")).Json.GetProperty("messages")[0];

        Assert.Equal("customer-7", message.GetProperty("key").GetString());
        Assert.Equal("7", message.GetProperty("headers").GetProperty("tenant").GetString());
    }

    [Fact]
    public async Task A_queue_lists_its_subscribers()
    {
        await SubscribeAsync("b", """["orders"]""");
        await SubscribeAsync("a", """["ord*"]""");
        await _server.PostAsync("/q/orders", "1");

        var subscribers = (await _server.GetAsync("/j/orders")).Json.GetProperty("subscribers").GetRawText();

        Assert.Equal("""["a","b"]""", subscribers);
        Assert.Equal("[]", (await _server.GetAsync("/j/a")).Json.GetProperty("subscribers").GetRawText());
    }

    [Fact]
    public async Task A_broadcast_queue_that_feeds_another_does_not_wait_for_a_listener()
    {
        await _server.PostAsync("/q/orders", "before");
        await SubscribeAsync("billing", """["orders"]""");
        await _server.PostAsync("/q/orders", "after");

        await Eventually.TrueAsync(
            async () => (await _server.GetAsync("/j/orders")).Json.GetProperty("history").GetInt32() == 2, "in history");
        using var answer = await _server.Client.GetAsync("/c/orders?from=earliest&format=raw", HttpCompletionOption.ResponseHeadersRead)
            .WithTimeout();
        using var stream = new StreamLines(await answer.Content.ReadAsStreamAsync());

        Assert.Equal("before", await stream.ReadLineAsync().WithTimeout());
        Assert.Equal("after", await stream.ReadLineAsync().WithTimeout());
        Assert.Equal(1, await ReadyAsync("billing"));
    }

    [Fact]
    public async Task Copies_in_a_broadcast_queue_that_feeds_another_go_to_its_history()
    {
        await SubscribeAsync("billing", """["orders"]""");
        await SubscribeAsync("audit", """["billing"]""");

        await _server.PostAsync("/q/orders", "1");

        await Eventually.TrueAsync(
            async () => (await _server.GetAsync("/j/billing")).Json.GetProperty("history").GetInt32() == 1, "in history");
        Assert.Equal(404, (await _server.GetAsync("/q/audit/messages/1")).Status);
    }

    [Fact]
    public async Task A_round_robin_queue_that_feeds_another_keeps_its_messages_for_its_workers()
    {
        await _server.SendAsync("PATCH", "/q/orders/settings", """{"policy":"roundrobin"}""");
        await SubscribeAsync("billing", """["orders"]""");
        await _server.PostAsync("/q/orders", "1");
        await _server.PostAsync("/q/orders", "2");

        Assert.Equal("1", (await _server.GetAsync("/q/orders")).Text);
        Assert.Equal(1, await ReadyAsync("orders"));
    }

    [Fact]
    public async Task A_full_subscriber_refuses_the_put_and_is_named()
    {
        await SubscribeAsync("billing", """["orders"]""");
        await _server.SendAsync("PATCH", "/q/billing/settings", """{"maxMessages":1}""");
        await _server.PostAsync("/q/orders", "1");

        var refused = await _server.PostAsync("/q/orders", "2");

        Assert.Equal((429, "queue-full"), (refused.Status, refused.Problem));
        Assert.Contains("'billing'", refused.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"to":"orders"}""", "bad-option", "must be a list of names or patterns")]
    [InlineData("""[7]""", "bad-option", "must be a list of names or patterns")]
    [InlineData("""[[]]""", "bad-option", "must be a list of names or patterns")]
    [InlineData("""[{}]""", "bad-option", "must be a list of names or patterns")]
    [InlineData("""[null]""", "bad-option", "must be a list of names or patterns")]
    [InlineData("""["orders",{"to":"audit","since":"earliest"}]""", "bad-option", "has no field 'since'")]
    [InlineData("""[{"to":"a","to":"b"}]""", "bad-option", "given twice")]
    [InlineData("""[{"to":"orders","from":"first"}]""", "bad-option", "must be latest or earliest")]
    [InlineData("""[{"to":"orders","start":"earliest"}]""", "bad-option", "has no field 'start'")]
    [InlineData("""[{"to":"orders","where":{"tenant":null}}]""", "bad-option", "The field 'where' must be a condition")]
    [InlineData("""[{"to":"orders","where":{"tenant":"7","region":null}}]""", "bad-option", "The field 'where' must be a condition")]
    [InlineData("""[{"to":"orders","where":["tenant=7",null]}]""", "bad-option", "The field 'where' must be a condition")]
    [InlineData("""[{"to":"orders","where":7}]""", "bad-option", "'where'")]
    [InlineData("""[{"to":"orders","where":{"bad name":"7"}}]""", "bad-option", "header")]
    [InlineData("""[""]""", "bad-queue-name", "missing")]
    [InlineData("""["a/b"]""", "bad-queue-name", "'/'")]
    [InlineData("""["a\u0000b"]""", "bad-queue-name", "control")]
    [InlineData("""["\ud800"]""", "bad-json", "Unicode")]
    [InlineData("""["orders.dead"]""", "bad-queue-name", "dead letters")]
    [InlineData("""["*.dead"]""", "bad-queue-name", "dead letters")]
    [InlineData("""["billing"]""", "bad-option", "itself")]
    public async Task A_subscription_that_cannot_be_is_refused_and_nothing_changes(string subscriptions, string problem, string because)
    {
        await SubscribeAsync("billing", """["before"]""");

        var refused = await _server.SendAsync("PATCH", "/q/billing/settings", $$"""{"maxAttempts":9,"subscriptions":{{subscriptions}}}""");

        Assert.Equal(problem, refused.Problem);
        Assert.Contains(because, refused.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        var settings = (await _server.GetAsync("/q/billing/settings")).Json;
        Assert.Equal("""["before"]""", settings.GetProperty("subscriptions").GetRawText());
        Assert.Equal(5, settings.GetProperty("maxAttempts").GetInt32());
    }

    [Fact]
    public async Task A_queue_has_at_most_a_hundred_subscriptions()
    {
        var most = await SubscribeAsync("billing", Patterns(100));
        var refused = await SubscribeAsync("other", Patterns(101));

        Assert.Equal(100, most.Json.GetProperty("subscriptions").GetArrayLength());
        Assert.Equal((400, "bad-option"), (refused.Status, refused.Problem));
        Assert.Equal(404, (await _server.GetAsync("/j/other")).Status);
    }

    [Fact]
    public async Task A_server_has_at_most_ten_thousand_subscriptions()
    {
        for (var i = 0; i < 100; i++)
        {
            await SubscribeAsync($"billing{i}", Patterns(100));
        }

        var refused = await SubscribeAsync("billing0", Patterns(99, "x").Replace("]", ",\"y\",\"z\"]", StringComparison.Ordinal));
        var more = await SubscribeAsync("one-more", """["orders"]""");
        await SubscribeAsync("billing1", "[]");

        Assert.Equal((400, "bad-option"), (refused.Status, refused.Problem));
        Assert.Equal((429, "too-many-subscriptions"), (more.Status, more.Problem));
        Assert.Equal(200, (await SubscribeAsync("one-more", """["orders"]""")).Status);
    }

    [Fact]
    public async Task A_dead_letter_queue_cannot_subscribe()
    {
        var refused = await SubscribeAsync("billing.dead", """["orders"]""");

        Assert.Equal((400, "bad-option"), (refused.Status, refused.Problem));
    }

    [Theory]
    [InlineData("orders.*", "orders.new", true)]
    [InlineData("orders.*", "orders.*", true)]
    [InlineData("orders.*", "orders.eu*", true)]
    [InlineData("orders.*", "orders.*.eu", true)]
    [InlineData("*", "*", true)]
    [InlineData("orders.*", "orders*", false)]
    [InlineData("orders.*", "*", false)]
    [InlineData("orders.*", "invoices", false)]
    [InlineData("*.eu", "orders.*", false)]
    public async Task Subscribing_needs_the_right_to_listen_to_all_that_may_be_meant(string listens, string to, bool allowed)
    {
        await _server.DisposeAsync();
        _server = await PushQueueServer.StartAsync(options => options.Security.AccessFile = _keys.Path);
        var key = _keys.Add(Permissions.Listen, listens);
        _keys.Grant(key, (Permissions.Manage, "billing"), (Permissions.Listen, listens));
        await Eventually.TrueAsync(async () => (await AsAsync(key, "{}")).Status == 200, "the key is in force");

        var answer = await AsAsync(key, $$"""{"subscriptions":["{{to}}"]}""");

        Assert.Equal(allowed ? 200 : 403, answer.Status);
        if (!allowed)
        {
            Assert.Equal("forbidden", answer.Problem);
            Assert.Contains($"'{to}'", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    private async Task<Answer> AsAsync(string key, string patch)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, "/q/billing/settings");
        request.Headers.Authorization = new("Bearer", key);
        request.Content = new StringContent(patch);
        return await _server.SendAsync(request);
    }

    private Task<Answer> SubscribeAsync(string queue, string subscriptions) =>
        _server.SendAsync("PATCH", $"/q/{queue}/settings", $$"""{"subscriptions":{{subscriptions}}}""");

    private async Task<int> ReadyAsync(string queue) => (await _server.GetAsync($"/j/{queue}")).Json.GetProperty("ready").GetInt32();

    private static string Patterns(int count, string of = "orders") =>
        JsonSerializer.Serialize(Enumerable.Range(0, count).Select(number => $"{of}.{number}.*"));
}
