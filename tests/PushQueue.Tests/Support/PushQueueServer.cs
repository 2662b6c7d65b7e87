using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Hosting;

namespace PushQueue.Tests.Support;

/// <summary>The whole application in this process, on a port of its own, with a data folder that goes with it.</summary>
internal sealed class PushQueueServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TemporaryDirectory _directory;

    private readonly IReadOnlyList<string> _ports;

    private PushQueueServer(WebApplication app, TemporaryDirectory directory, VerifyingLogger log, IReadOnlyList<string> ports)
    {
        _app = app;
        _ports = ports;
        _directory = directory;
        Log = log;
        Address = new Uri(app.Urls.First());
        Client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public VerifyingLogger Log { get; }

    public IServiceProvider Services => _app.Services;

    /// <param name="configure">The queue's options.</param>
    /// <param name="time">The server's clock.</param>
    /// <param name="ports">Dialects that get a port of their own; "syslog" for that.</param>
    public static async Task<PushQueueServer> StartAsync(
        Action<PushQueueOptions>? configure = null, TimeProvider? time = null, params string[] ports)
    {
        var directory = new TemporaryDirectory();
        try
        {
            return await StartAsync(directory, configure, time, ports);
        }
        catch
        {
            // A test may expect that it does not start.
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Where the port of a dialect, or of syslog, is.</summary>
    public Uri PortOf(string name) => new(_app.Urls.ElementAt(1 + _ports.ToList().IndexOf(name)));

    public Task StopAsync() => _app.StopAsync();

    public async Task<Answer> SendAsync(
        string method, string path, string? body = null, string? contentType = null, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            _ = contentType is not null && request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        return await SendAsync(request, cancellationToken);
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken = default)
    {
        using var response = await Client.SendAsync(request, cancellationToken).WithTimeout();
        return await Answer.ReadAsync(response);
    }

    public Task<Answer> GetAsync(string path) => SendAsync("GET", path);

    public Task<Answer> PostAsync(string path, string body = "", string? contentType = "text/plain") =>
        SendAsync("POST", path, body, contentType);

    /// <summary>A request whose target is sent exactly as it is; HttpClient would normalise it. Returns the whole answer as text.</summary>
    public Task<string> SendRawAsync(string method, string target, string body = "x") => SendAsync(
        $"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
            + $"{Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    /// <summary>A put with header fields that are sent as they are, a byte per character.</summary>
    public Task<string> SendFieldsAsync(string target, params string[] fields) => SendAsync(
        $"POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{string.Concat(fields.Select(static field => field + "\r\n"))}"
        + "Content-Length: 1\r\n\r\n1");

    /// <summary>The beginning of a chunk that has this size.</summary>
    public Task<string> SendChunkAsync(string target, string size) => SendAsync(
        $"POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        + $"Transfer-Encoding: chunked\r\n\r\n{size}\r\nabc\r\n0\r\n\r\n");

    /// <summary>A request with this text as its length.</summary>
    public Task<string> SendLengthAsync(string target, string length) => SendAsync(
        $"POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\nabc");

    private async Task<string> SendAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Address.Port).WithTimeout();
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request)).WithTimeout();
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync().WithTimeout();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync().WithTimeout();
        await _app.DisposeAsync();
        _directory.Dispose();
        Log.Verify();
    }

    private static async Task<PushQueueServer> StartAsync(
        TemporaryDirectory directory, Action<PushQueueOptions>? configure, TimeProvider? time, IReadOnlyList<string> ports)
    {
        var log = new VerifyingLogger();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<ILoggerFactory>(log);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseLimits(kestrel.ApplicationServices.GetRequiredService<PushQueueOptions>().Connections)
                .Listen(IPAddress.Loopback, 0, listen =>
                    listen.UseConnectionLimits().UseDirectSocketOutput().Protocols = HttpProtocols.Http1);
            foreach (var port in ports)
            {
                kestrel.Listen(
                    IPAddress.Loopback, 0, listen => _ = port == "syslog" ? listen.UsePushQueueSyslog() : listen.UsePushQueueDialect(port));
            }
        });
        builder.Services.AddPushQueue(options =>
        {
            options.Storage.DataDirectory = directory.Path;
            options.Storage.Durability = "memory";
            configure?.Invoke(options);
        });
        var app = builder.Build();
        app.MapPushQueue();
        app.MapPushQueueNotFound();
        try
        {
            await app.StartAsync().WithTimeout();
            return new PushQueueServer(app, directory, log, ports);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }
}
