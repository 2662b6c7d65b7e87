using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Client.SignalR;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Sends to groups, users and all reach the hub connections of all nodes.</summary>
public sealed class RedisBackplaneTests(SharedRedis redis)
{
    [Fact]
    public async Task What_one_node_sends_to_all_reaches_the_hub_connections_of_every_node()
    {
        var options = await redis.OptionsAsync();
        await using var one = await StartAsync(options);
        await using var other = await StartAsync(options);
        await using var near = await HubListener.OpenAsync(one, negotiates: true);
        await using var far = await HubListener.OpenAsync(other, negotiates: true);
        await using var direct = await HubListener.OpenAsync(other, negotiates: false);

        await UntilAllHearAsync(one, near, far, direct);
    }

    [Fact]
    public async Task A_group_is_known_at_every_node()
    {
        var options = await redis.OptionsAsync();
        await using var one = await StartAsync(options);
        await using var other = await StartAsync(options);
        await using var member = await HubListener.OpenAsync(other, negotiates: true);
        await using var stranger = await HubListener.OpenAsync(other, negotiates: true);
        await UntilAllHearAsync(one, member, stranger);

        // Added by the node that does not have the connection, and sent to by that node too.
        var hub = one.Services.GetRequiredService<IPushHubContext>();
        await hub.Groups.AddToGroupAsync(member.Id!, "team").WithTimeout();
        await hub.Clients.Group("team").SendAsync("notice", "to the team").WithTimeout();
        await hub.Clients.Client(stranger.Id!).SendAsync("notice", "to the stranger").WithTimeout();

        Assert.Equal("to the team", await member.NextAsync());
        Assert.Equal("to the stranger", await stranger.NextAsync());
    }

    [Fact]
    public async Task Two_installations_in_one_Redis_do_not_hear_each_other()
    {
        await using var one = await StartAsync(await redis.OptionsAsync());
        await using var other = await StartAsync(await redis.OptionsAsync());
        await using var near = await HubListener.OpenAsync(one, negotiates: true);
        await using var stranger = await HubListener.OpenAsync(other, negotiates: true);
        await UntilAllHearAsync(one, near);
        await UntilAllHearAsync(other, stranger);

        Assert.DoesNotContain(near.Heard, text => text.StartsWith(other.Address.ToString(), StringComparison.Ordinal));
        Assert.DoesNotContain(stranger.Heard, text => text.StartsWith(one.Address.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hub_clients_connect_and_leave_while_Redis_is_away_and_are_reached_once_it_is_back()
    {
        await using var own = await RedisServer.StartAsync();
        await using var server = await StartAsync(new RedisStoreOptions { Configuration = own.Address, KeyPrefix = "pq" });
        await using (var early = await HubListener.OpenAsync(server, negotiates: true))
        {
            await UntilAllHearAsync(server, early);
        }

        await own.KillAsync();
        await using (await HubListener.OpenAsync(server, negotiates: true))
        {
            // It goes again before the backplane knows it.
        }

        await using var stays = await HubListener.OpenAsync(server, negotiates: true);
        await own.StartAgainAsync();

        await UntilAllHearAsync(server, stays);
    }

    [Fact]
    public async Task The_hubs_of_an_application_share_the_backplane_without_more_wiring()
    {
        var options = await redis.OptionsAsync();
        using var directory = new TemporaryDirectory();
        await using var one = await HostAsync(options, directory);
        await using var other = await HostAsync(options, directory);
        await using var far = await HubListener.OpenAsync(new Uri(new Uri(other.Urls.First()), "/chat"), negotiates: true);

        await UntilHeardAsync(one.Services.GetRequiredService<IHubContext<ChatHub>>().Clients.All, "chat", far);
    }

    /// <summary>A connection is known to the backplane a moment after it stands.</summary>
    private static async Task UntilAllHearAsync(PushQueueServer sender, params HubListener[] listeners) =>
        await UntilHeardAsync(
            sender.Services.GetRequiredService<IPushHubContext>().Clients.All, sender.Address.ToString(), listeners);

    private static async Task UntilHeardAsync(IClientProxy all, string name, params HubListener[] listeners)
    {
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await all.SendAsync("notice", $"{name} hello").WithTimeout();
                }
                catch (StackExchange.Redis.RedisException)
                {
                    // It is not back yet.
                }

                return Array.TrueForAll(
                    listeners, listener => listener.Heard.Any(text => text.StartsWith(name, StringComparison.Ordinal)));
            },
            "all have heard it");
        await all.SendAsync("notice", "last").WithTimeout();
        foreach (var listener in listeners)
        {
            await listener.ForgetUntilAsync("last");
        }
    }

    private static Task<PushQueueServer> StartAsync(RedisStoreOptions redis) => PushQueueServer.StartAsync(options => Set(options, redis));

    private static async Task<WebApplication> HostAsync(RedisStoreOptions redis, TemporaryDirectory directory)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddPushQueue(options =>
        {
            options.Storage.DataDirectory = directory.Path;
            Set(options, redis);
        });
        builder.Services.AddSignalR();
        var app = builder.Build();
        app.MapPushQueue();
        app.MapHub<ChatHub>("/chat");
        await app.StartAsync().WithTimeout();
        return app;
    }

    private static void Set(PushQueueOptions options, RedisStoreOptions redis)
    {
        options.Storage.Redis = redis.Configuration;
        options.Storage.RedisKeyPrefix = redis.KeyPrefix;
    }

    private sealed class ChatHub : Hub;

    /// <summary>A client that hears notices.</summary>
    private sealed class HubListener : IAsyncDisposable
    {
        private readonly HubConnection _connection;
        private readonly Channel<string> _notices = Channel.CreateUnbounded<string>();

        private HubListener(HubConnection connection)
        {
            _connection = connection;
            _ = connection.On<string>("notice", text =>
            {
                Heard.Enqueue(text);
                _ = _notices.Writer.TryWrite(text);
            });
        }

        public string? Id => _connection.ConnectionId;

        public ConcurrentQueue<string> Heard { get; } = [];

        public static Task<HubListener> OpenAsync(PushQueueServer server, bool negotiates) =>
            OpenAsync(new Uri(server.Address, "/hub"), negotiates);

        public static async Task<HubListener> OpenAsync(Uri hub, bool negotiates)
        {
            var builder = negotiates
                ? new HubConnectionBuilder().WithUrl(hub)
                : new HubConnectionBuilder().WithPushQueue(new Uri(hub, "/"));
            var listener = new HubListener(builder.Build());
            await listener._connection.StartAsync().WithTimeout();
            return listener;
        }

        public Task<string> NextAsync() => _notices.Reader.ReadAsync().AsTask().WithTimeout();

        public async Task ForgetUntilAsync(string text)
        {
            while (await NextAsync() != text)
            {
                // An earlier one.
            }
        }

        public ValueTask DisposeAsync() => _connection.DisposeAsync();
    }
}
