using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.SignalR;

/// <summary>An application with a hub of its own next to the queue's: each keeps its protocols.</summary>
public sealed class ApplicationHubTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_application_adds_MessagePack_for_its_own_hub_before_or_after_the_queue(bool before)
    {
        using var directory = new TemporaryDirectory();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        if (before)
        {
            builder.Services.AddSignalR().AddMessagePackProtocol();
        }

        builder.Services.AddPushQueue(options => options.Storage.DataDirectory = directory.Path);
        if (!before)
        {
            builder.Services.AddSignalR().AddMessagePackProtocol();
        }

        await using var app = builder.Build();
        app.MapPushQueue();
        app.MapHub<EchoHub>("/echo");
        await app.StartAsync().WithTimeout();

        foreach (var packed in new[] { false, true })
        {
            await using var queue = await ConnectAsync(app, "/hub", packed);
            await using var echo = await ConnectAsync(app, "/echo", packed);
            var got = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            queue.On<Greeting>("greet", greeting => got.TrySetResult(greeting.Text));

            _ = await queue.InvokeAsync<object>("Put", "q", new byte[] { 1 }, null).WithTimeout();
            Assert.Equal("hello", (await echo.InvokeAsync<Greeting>("Echo", new Greeting { Text = "hello" }).WithTimeout()).Text);
            await app.Services.GetRequiredService<IPushHubContext>().Clients.All.SendAsync("greet", new Greeting { Text = "to all" })
                .WithTimeout();
            Assert.Equal("to all", await got.Task.WithTimeout());
        }

        await app.StopAsync().WithTimeout();
    }

    [Fact]
    public async Task A_hub_of_an_application_that_adds_no_MessagePack_speaks_none()
    {
        using var directory = new TemporaryDirectory();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddPushQueue(options => options.Storage.DataDirectory = directory.Path);
        await using var app = builder.Build();
        app.MapPushQueue();
        app.MapHub<EchoHub>("/echo");
        await app.StartAsync().WithTimeout();

        var refused = await Assert.ThrowsAsync<HubException>(() => ConnectAsync(app, "/echo", packed: true));

        Assert.Contains("The protocol 'messagepack' is not supported.", refused.Message, StringComparison.Ordinal);
        await app.StopAsync().WithTimeout();
    }

    private static async Task<HubConnection> ConnectAsync(WebApplication app, string path, bool packed)
    {
        var builder = new HubConnectionBuilder().WithUrl(new Uri(new Uri(app.Urls.First()), path));
        var hub = (packed ? builder.AddMessagePackProtocol() : builder).Build();
        await hub.StartAsync().WithTimeout();
        return hub;
    }

    public sealed class EchoHub : Hub
    {
#pragma warning disable CA1822 // SignalR calls methods of instances.
        public Greeting Echo(Greeting greeting) => greeting;
#pragma warning restore CA1822
    }

    public sealed class Greeting
    {
        public string Text { get; set; } = "";
    }
}
