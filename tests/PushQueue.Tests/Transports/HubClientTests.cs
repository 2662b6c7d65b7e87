using System.Net.WebSockets;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client.SignalR;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>SignalR's own .NET client over a WebSocket without negotiation, against the whole server.</summary>
public sealed class HubClientTests
{
    [Fact]
    public async Task The_client_puts_is_pushed_to_and_streams()
    {
        await using var server = await PushQueueServer.StartAsync();
        await using var client = Connect(server);
        var messages = Channel.CreateUnbounded<JsonElement>();
        client.On<JsonElement>("message", message => messages.Writer.TryWrite(message));
        await client.StartAsync().WithTimeout();
        _ = await client.InvokeAsync<JsonElement>("Subscribe", "test", new { from = "earliest" }).WithTimeout();

        var puts = Enumerable.Range(0, 200).Select(i => client.InvokeAsync<JsonElement>("Put", "test", i)).ToArray();
        _ = await Task.WhenAll(puts).WithTimeout();
        _ = await client.InvokeAsync<JsonElement>("Put", "test", new string('x', 300_000)).WithTimeout();

        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(i, (await messages.Reader.ReadAsync().WithTimeout()).GetProperty("body").GetInt32());
        }

        Assert.Equal(300_000, (await messages.Reader.ReadAsync().WithTimeout()).GetProperty("body").GetString()!.Length);
        await foreach (var item in client.StreamAsync<JsonElement>("Consume", "test", new { from = "earliest" }))
        {
            Assert.Equal(0, item.GetProperty("body").GetInt32());
            break;
        }

        await client.StopAsync().WithTimeout();
        var registry = server.Services.GetRequiredService<ConsumerRegistry>();
        await Eventually.TrueAsync(() => registry is { Connections: 0, Consumers: 0 }, "nobody is left");
    }

    /// <summary>By hand: SignalR's own client discards what it has not sent yet when it stops.</summary>
    [Fact]
    public async Task What_was_sent_before_the_client_closed_is_done()
    {
        await using var server = await PushQueueServer.StartAsync();
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://{server.Address.Authority}/hub"), CancellationToken.None).WithTimeout();
        await client.SendAsync(HubSockets.Handshake);
        for (var i = 0; i < 100; i++)
        {
            await client.SendAsync($$"""{"type":1,"target":"Put","arguments":["test",{{i}}]}""" + "\u001e");
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WithTimeout();

        await Eventually.TrueAsync(
            async () =>
                (await server.GetAsync("/j/test")).Text.Contains("\"ready\":100", StringComparison.Ordinal), "100 messages are there");
    }

    [Fact]
    public async Task A_client_that_reconnects_does_so_when_the_server_stops()
    {
        await using var server = await PushQueueServer.StartAsync();
        await using var client = Connect(server, static builder => builder.WithAutomaticReconnect([TimeSpan.FromMinutes(1)]));
        var reconnecting = new TaskCompletionSource<Exception?>();
        client.Reconnecting += error =>
        {
            reconnecting.TrySetResult(error);
            return Task.CompletedTask;
        };
        await client.StartAsync().WithTimeout();

        var stopping = server.StopAsync();

        Assert.Contains(CloseReason.ServerShutdown.Sentence, (await reconnecting.Task.WithTimeout())!.Message, StringComparison.Ordinal);
        await stopping.WithTimeout();
    }

    private static HubConnection Connect(PushQueueServer server, Action<IHubConnectionBuilder>? configure = null)
    {
        var builder = new HubConnectionBuilder().WithPushQueue(server.Address);
        configure?.Invoke(builder);
        return builder.Build();
    }
}
