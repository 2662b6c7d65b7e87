using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Delivery;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

public sealed class WaitingCommandTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_socket_serves_on_while_a_take_waits()
    {
        using var socket = await ConnectAsync();

        await socket.SendAsync("""{"cmd":"take","queue":"test","wait":30,"ref":"take"}""");
        await socket.SendAsync("""{"cmd":"put","queue":"test","value":7,"ref":"put"}""");
        var answers = new[] { await socket.NextAsync(), await socket.NextAsync() };

        Assert.Contains(answers, answer => answer.StartsWith("""{"ref":"put","ok":true""", StringComparison.Ordinal));
        var taken = JsonDocument.Parse(Assert.Single(answers, answer => answer.Contains("\"take\"", StringComparison.Ordinal))).RootElement;
        Assert.Equal(7, taken.GetProperty("message").GetProperty("body").GetInt32());
    }

    [Fact]
    public async Task No_waiting_command_outlives_its_socket()
    {
        using var socket = await ConnectAsync();
        for (var i = 1; i <= 5; i++)
        {
            await socket.SendAsync($$"""{"cmd":"lease","queue":"test","wait":30,"ref":{{i}}}""");
        }

        // Answered behind the others, so they have begun.
        await socket.SendAsync("""{"cmd":"look","queue":"test","ref":"look"}""");
        Assert.StartsWith("""{"ref":"look",""", await socket.NextAsync(), StringComparison.Ordinal);
        socket.Abort();
        await PushServer.UntilAsync(() => _server.Services.GetRequiredService<ConsumerRegistry>().Connections == 0);

        await _server.PostAsync("/q/test", "still there");
        Assert.Equal("still there", (await _server.GetAsync("/q/test")).Text);
    }

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/ws"), CancellationToken.None).WithTimeout();
        return socket;
    }
}
