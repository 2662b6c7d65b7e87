using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PushQueue.SystemTests.Operations;

/// <summary>A collector that takes OTLP over HTTP and keeps what it is sent.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Span> _spans = new();
    private readonly ConcurrentDictionary<string, byte> _metrics = new(StringComparer.Ordinal);

    private Collector(WebApplication app)
    {
        _app = app;
        app.MapPost("/v1/traces", (RequestDelegate)TakeTracesAsync);
        app.MapPost("/v1/metrics", (RequestDelegate)TakeMetricsAsync);
    }

    public string Address => _app.Urls.First();

    public IReadOnlyCollection<Span> Spans => _spans;

    /// <summary>The names of the metrics that came.</summary>
    public ICollection<string> Metrics => _metrics.Keys;

    public static async Task<Collector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var collector = new Collector(builder.Build());
        await collector._app.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeTracesAsync(HttpContext context)
    {
        foreach (var span in ProtobufReader.At(await ReadAsync(context), 1, 2, 2))
        {
            _spans.Enqueue(Span.Read(span));
        }
    }

    private async Task TakeMetricsAsync(HttpContext context)
    {
        foreach (var name in ProtobufReader.At(await ReadAsync(context), 1, 2, 2, 1))
        {
            _metrics[ProtobufReader.Text(name)] = 0;
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }
}
