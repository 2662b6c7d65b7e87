using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Security;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.SignalR;

/// <summary>The streams for people with a key of few permissions, and their end when it loses them.</summary>
public sealed class WatchRightsTests : IAsyncLifetime
{
    private readonly KeyRing _keys = new();
    private PushQueueServer _server = null!;
    private string _own = "";
    private string _listener = "";

    public async ValueTask InitializeAsync()
    {
        var all = _keys.Add(Permissions.Any);
        _own = _keys.Add(Permissions.Put, "own.*");
        _listener = _keys.Add(Permissions.Listen);
        _server = await PushQueueServer.StartAsync(options => options.Security.AccessFile = _keys.Path);
        foreach (var queue in (string[])["own.a", "own.a.dead", "secret"])
        {
            using var put = new HttpRequestMessage(HttpMethod.Post, $"/q/{queue}") { Content = new StringContent("x") };
            put.Headers.Add("Authorization", $"Bearer {all}");
            Assert.Equal(201, (await _server.SendAsync(put)).Status);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task The_overview_shows_and_sums_up_the_queues_that_the_key_may_see()
    {
        await using var watch = await HubWatchClient.OpenWithKeyAsync(_server, _own, "WatchQueues", (object?)null);

        var first = await watch.NextAsync();

        Assert.Equal(["own.a", "own.a.dead"], first.GetProperty("order").EnumerateArray().Select(static name => name.GetString()));
        Assert.Equal(
            (2, 1),
            (first.GetProperty("sums").GetProperty("queues").GetInt32(), first.GetProperty("sums").GetProperty("ready").GetInt32()));
        var access = first.GetProperty("access");
        Assert.Equal(("tester", "[]", "[\"put\",\"stats\"]"), (
            access.GetProperty("key")
                .GetString(), access.GetProperty("everywhere")
                .GetRawText(), access.GetProperty("somewhere")
                .GetRawText()));
    }

    [Fact]
    public async Task A_queue_tells_what_may_be_done_with_it_anew_when_that_changes_and_its_consumers_to_who_manages_it()
    {
        await using var watch = await HubWatchClient.OpenWithKeyAsync(_server, _own, "WatchQueue", "own.a");
        var first = await watch.NextAsync();
        Assert.Equal(["put", "stats"], Words(first, "queue"));
        using var stream = await ListenAsync();
        var counted = await watch.NextAsync(
            static item => item.TryGetProperty("listeners", out var listeners) && listeners.GetProperty("total").GetInt32() == 1);
        Assert.Equal(0, counted.GetProperty("listeners").GetProperty("consumers").GetArrayLength());

        _keys.Grant(_own, Permissions.Manage, "own.a");
        var changed = await watch.NextAsync(static item => item.TryGetProperty("rights", out _));

        Assert.Equal(["manage", "stats"], Words(changed, "queue"));
        Assert.Equal(["take", "listen", "manage", "stats"], Words(changed, "deadLetters"));
        Assert.Equal(1, changed.GetProperty("listeners").GetProperty("consumers").GetArrayLength());
    }

    [Theory]
    [InlineData("WatchQueue")]
    [InlineData("Tail")]
    public async Task A_stream_ends_with_a_sentence_where_its_right_does(string method)
    {
        _keys.Grant(_own, Permissions.Manage, "own.*");
        await Eventually.TrueAsync(
            () => _server.Services.GetRequiredService<AccessControl>().Find(_own, out _)!.MaySomewhere(Permissions.Manage),
            "it may manage");
        await using var watch = await HubWatchClient.OpenWithKeyAsync(_server, _own, method, "own.a");
        _ = await watch.NextAsync();

        _keys.Grant(_own, Permissions.Put, method == "Tail" ? "own.*" : "other");

        _server.Log.ExpectError("Failed while sending stream items");
        var ended = await Assert.ThrowsAnyAsync<HubException>(async () =>
        {
            while (true)
            {
                if (method == "Tail")
                {
                    // The tail is silent while nothing happens.
                    _ = await _server.Services.GetRequiredService<PushQueue.Queues.IMessageBroker>()
                        .PutAsync(
                            PushQueue.Queues.QueueName.Parse("own.a"),
                            new PushQueue.Queues.NewMessage { Body = "x"u8.ToArray(), ContentType = "text/plain" });
                }

                _ = await watch.NextAsync();
            }
        });
        Assert.Contains("forbidden: ", ended.Message, StringComparison.Ordinal);
    }

    private async Task<HttpResponseMessage> ListenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/c/own.a");
        request.Headers.Add("Authorization", $"Bearer {_listener}");
        return await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
    }

    private static IEnumerable<string?> Words(JsonElement item, string of) =>
        item.GetProperty("rights").GetProperty(of).EnumerateArray().Select(static word => word.GetString());
}
