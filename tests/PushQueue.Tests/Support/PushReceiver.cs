using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace PushQueue.Tests.Support;

/// <summary>A small web server that jobs are pushed to. Answers as the test says, 200 unless it does, and remembers what came.</summary>
internal sealed class PushReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<PushedJob> _came = new();

    private PushReceiver(WebApplication app) => _app = app;

    public IReadOnlyList<PushedJob> Came => [.. _came];

    public Uri Url { get; private set; } = null!;

    public static async Task<PushReceiver> StartAsync(Func<HttpContext, string, Task>? answer = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var receiver = new PushReceiver(builder.Build());
        receiver._app.Run(context => receiver.ReceiveAsync(context, answer));
        await receiver._app.StartAsync().WithTimeout();
        receiver.Url = new Uri(receiver._app.Urls.First() + "/receive");
        return receiver;
    }

    public Task CameAsync(int count) => Eventually.TrueAsync(() => _came.Count >= count, $"{count} jobs have come");

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token).WithTimeout();
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context, Func<HttpContext, string, Task>? answer)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        using var json = JsonDocument.Parse(body);
        var id = json.RootElement.GetProperty("id").GetString()!;
        _came.Enqueue(new PushedJob(context.Request.Method, context.Request.Path.Value!, context.Request.ContentType, body, id));
        if (answer is not null)
        {
            await answer(context, id);
        }
    }
}

/// <summary>One request that a <see cref="PushReceiver"/> got.</summary>
internal sealed record PushedJob(string Method, string Path, string? ContentType, string Body, string Id);
