using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>The order of keys as clients see it: takes, streams, settings and the list of keys.</summary>
public sealed class KeyOrderTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_keys_of_a_queue_are_listed_in_pages()
    {
        foreach (var key in new[] { "b", "a", "a", "c" })
        {
            await _server.PostAsync($"/q/q?key={key}&policy=roundrobin", "x");
        }

        await _server.PostAsync("/q/q?key=c&delay=1h", "x");
        await _server.GetAsync("/q/q/batch?ttr=60&count=2");

        var first = await _server.GetAsync("/q/q/keys?limit=2");
        var second = await _server.GetAsync("/q/q/keys?limit=2&after=" + first.Json.GetProperty("next").GetString());

        Assert.Equal(
            [("a", 1, 0, 1, true), ("b", 0, 0, 1, false)],
            first.Json.GetProperty("keys").EnumerateArray().Select(static key => (
                key.GetProperty("key").GetString()!,
                key.GetProperty("ready").GetInt32(),
                key.GetProperty("delayed").GetInt32(),
                key.GetProperty("inFlight").GetInt32(),
                key.GetProperty("blocked").GetBoolean())));
        Assert.Equal("c", Assert.Single(second.Json.GetProperty("keys").EnumerateArray()).GetProperty("key").GetString());
        Assert.Null(second.Json.GetProperty("next").GetString());
        var info = (await _server.GetAsync("/j/q")).Json;
        Assert.Equal((3, 1), (info.GetProperty("keys").GetInt32(), info.GetProperty("blockedKeys").GetInt32()));
        Assert.Contains("""pushqueue_queue_keys_blocked{queue="q"} 1""", (await _server.GetAsync("/metrics")).Text);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=1001")]
    [InlineData("before=a")]
    public async Task A_list_of_keys_with_a_wrong_option_is_refused(string query) =>
        Assert.Equal(400, (await _server.GetAsync($"/q/q/keys?{query}")).Status);

    [Fact]
    public async Task A_queue_that_does_not_exist_has_no_keys() =>
        Assert.Equal("""{"queue":"none","keys":[],"next":null}""", (await _server.GetAsync("/q/none/keys")).Text);

    [Theory]
    [InlineData("""{"keyInFlight":-1}""")]
    [InlineData("""{"keyInFlight":1000001}""")]
    [InlineData("""{"keyInFlight":"many"}""")]
    [InlineData("""{"fair":"perhaps"}""")]
    [InlineData("""{"keyinflight":1}""")]
    public async Task A_setting_of_keys_with_a_wrong_value_is_refused_and_changes_nothing(string settings)
    {
        Assert.Equal(400, (await _server.SendAsync("PATCH", "/q/q/settings", settings)).Status);

        var now = (await _server.GetAsync("/q/q/settings")).Json;
        Assert.Equal((1, false), (now.GetProperty("keyInFlight").GetInt32(), now.GetProperty("fair").GetBoolean()));
    }

    [Fact]
    public async Task Settings_of_keys_are_answered_as_they_were_set()
    {
        var set = (await _server.SendAsync("PATCH", "/q/q/settings", """{"keyInFlight":0,"fair":true}""")).Json;

        Assert.Equal((0, true), (set.GetProperty("keyInFlight").GetInt32(), set.GetProperty("fair").GetBoolean()));
    }

    [Fact]
    public async Task A_waiting_lease_gets_the_next_message_of_a_key_when_the_one_before_is_acked()
    {
        await _server.PostAsync("/q/q?key=a&policy=roundrobin", "1");
        await _server.PostAsync("/q/q?key=a", "2");
        var first = await _server.GetAsync("/q/q?ttr=60");
        var waiting = _server.GetAsync("/q/q?ttr=60&wait=30");

        await _server.PostAsync(
            $"/q/q/messages/{first.Headers["PushQueue-Id"]}/ack?receipt={first.Headers["PushQueue-Receipt"]}", "");

        Assert.Equal("2", (await waiting.WithTimeout()).Text);
    }
}
