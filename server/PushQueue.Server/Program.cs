using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.StaticFiles;
using PushQueue.Queues;

namespace PushQueue.Server;

/// <summary>
/// The host: reads its options, opens the queue, serves. 0 after an orderly stop, 1 where it cannot start, 2 for wrong options.
/// </summary>
internal static class Program
{
    internal const int WrongOptions = 2;

    internal const int CannotStart = 1;

    public static Task<int> Main(string[] args) => ServerCommand.InvokeAsync(args, RunAsync);

    private static async Task<int> RunAsync(Func<string, string?> text)
    {
        var errors = new List<string>();
        ServerOptions options;
        try
        {
            options = ServerOptions.Read(text, errors);
            errors.AddRange(ServerCommand.Unknown());
        }
        catch (InvalidDataException e)
        {
            return Fail(WrongOptions, $"appsettings.json cannot be read: {e.InnerException?.Message ?? e.Message}");
        }

        var queue = new PushQueueOptions();
        options.ApplyTo(queue, errors);
        errors.AddRange(queue.Validate());
        if (errors.Count > 0)
        {
            return Fail(WrongOptions, string.Join('\n', errors));
        }

        try
        {
            await using var app = Build(options);
            if (!await TryStartAsync(app))
            {
                return 0;
            }

            Console.WriteLine(
                $"PushQueue listening on {app.Urls.First()}, {options.Where}{DialectUrls(app, options)}");
            Console.WriteLine($"Open {BrowserUrl(app.Urls.First())} in a browser for the dashboard.");
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (PushQueueStartException e)
        {
            return Fail(CannotStart, e.Message);
        }
        catch (SocketException e)
        {
            return Fail(CannotStart, $"{options.ListenText} port {options.PortsText} cannot be opened: {e.Message}.");
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            return Fail(
                CannotStart,
                $"{options.ListenText} port {options.PortsText} is in use; choose another with --port, or 0 for any free port.");
        }
    }

    /// <returns>False where it was told to stop before it had started, as while it waited for its store.</returns>
    private static async Task<bool> TryStartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
            return true;
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>A wildcard address is for listening only; a browser on this machine needs a host name.</summary>
    private static string BrowserUrl(string url) =>
        url.Replace("//0.0.0.0:", "//localhost:", StringComparison.Ordinal).Replace("//[::]:", "//localhost:", StringComparison.Ordinal);

    /// <summary>The server lists its addresses in the order in which it was told to listen, the main one first.</summary>
    private static string DialectUrls(WebApplication app, ServerOptions options) =>
        string.Concat(options.DialectPorts.Select((dialect, i) =>
            $", {dialect.Dialect} on {app.Urls.ElementAt(options.Listen.Count + (i * options.ListenWithPorts.Count()))}"))
        + (options.SyslogPort is null ? "" : $", syslog on {app.Urls.Last().Replace("http://", "tcp://", StringComparison.Ordinal)}");

    private static WebApplication Build(ServerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical)

            // Nothing of the first is shown: it would log URLs, and with them keys, and make an activity for each request as long as it
            // could be shown. The second would log every wrong call of every client.
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
            .AddFilter("Microsoft.AspNetCore.SignalR.Internal.DefaultHubDispatcher", LogLevel.None);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(8));
        builder.WebHost.UseSocketThreads();
        var certificate = options.Certificate is { } file
            ? ServerCertificate.Open(file, options.CertificateKey, options.CertificatePassword, TimeProvider.System)
            : null;
        builder.WebHost.ConfigureKestrel(kestrel => ServerListening.Configure(kestrel, options, certificate));
        builder.Services.AddPushQueue(queue => options.ApplyTo(queue, []));
        builder.Services.AddTelemetry(options.Otlp);
        builder.Services.AddSingleton(options).AddSingleton<IHostLifetime, ServerLifetime>();

        var app = builder.Build();
        app.Services.StartTelemetry();
        UseProxies(app, options);
        app.Use(SecurePagesAsync);

        // Before routing: the last route takes every path, and static files leave a path alone that a route has taken.
        if (!Directory.Exists(app.Environment.WebRootPath))
        {
            app.Environment.WebRootFileProvider = new EmbeddedPages();
        }

        app.UseDefaultFiles().UseStaticFiles(new StaticFileOptions
        {
            // Browsers show plain text; they offer text/markdown as a download.
            ContentTypeProvider = new FileExtensionContentTypeProvider { Mappings = { [".md"] = "text/plain; charset=utf-8" } },

            // Modules of two versions do not fit together: a browser asks each time whether its copy is the present one.
            OnPrepareResponse = static file => file.Context.Response.Headers.CacheControl = "no-cache",
        });
        app.UseRouting();
        app.UsePoolForLongRequests();
        app.MapPushQueue();
        app.MapPushQueueNotFound();
        return app;
    }

    /// <summary>
    /// Believes the headers in which a proxy in front describes its client, where the proxy was named or connects by a socket of this
    /// machine.
    /// </summary>
    private static void UseProxies(WebApplication app, ServerOptions options)
    {
        var proxies = app.Services.GetRequiredService<PushQueueOptions>().Connections.Proxies;
        if (proxies.Count == 0 && options.Listen.All(static address => address.SocketPath is null))
        {
            return;
        }

        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var proxy in proxies)
        {
            forwarded.KnownProxies.Add(proxy);
        }

        if (proxies.Count == 0)
        {
            // The middleware believes everybody where it knows nobody. A peer by a socket has no address, and is believed all the same.
            forwarded.KnownProxies.Add(IPAddress.None);
        }

        app.UseForwardedHeaders(forwarded);
    }

    /// <summary>
    /// The pages load nothing from elsewhere, and no other page may frame them. A page that came by TLS once is not requested without it
    /// again.
    /// </summary>
    private static Task SecurePagesAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.IsHttps && !IsLoopback(context.Request.Host.Host))
        {
            context.Response.Headers.StrictTransportSecurity = "max-age=31536000";
        }

        if (context.Request.Path.Value is "/" or [.., '.', 'h', 't', 'm', 'l'])
        {
            context.Response.Headers.ContentSecurityPolicy =
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
                + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            context.Response.Headers["Referrer-Policy"] = "no-referrer";
        }

        return next(context);
    }

    /// <summary>A browser that is told to use TLS for localhost would do so for everything else that somebody runs there.</summary>
    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    internal static int Fail(int code, string sentences)
    {
        Console.Error.WriteLine(sentences);
        return code;
    }
}
