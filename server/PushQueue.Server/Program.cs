using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using PushQueue.Hosting;

namespace PushQueue.Server;

/// <summary>The host: reads its options, opens the queue, serves. 0 after an orderly stop, 1 where it cannot start, 2 for wrong options.</summary>
internal static class Program
{
    internal const int WrongOptions = 2;

    private const int CannotStart = 1;

    public static Task<int> Main(string[] args) => ServerCommand.InvokeAsync(args, RunAsync);

    private static async Task<int> RunAsync(Func<string, string?> text)
    {
        var errors = new List<string>();
        ServerOptions options;
        try
        {
            options = ServerOptions.Read(text, errors);
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
            await app.StartAsync();
            Console.WriteLine($"PushQueue listening on {app.Urls.First()}, data in {Path.GetFullPath(options.Data)} ({options.Durability})");
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (PushQueueStartException e)
        {
            return Fail(CannotStart, e.Message);
        }
        catch (SocketException e)
        {
            return Fail(CannotStart, $"{options.Listen} port {options.Port} cannot be listened on: {e.Message}.");
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            return Fail(CannotStart, $"{options.Listen} port {options.Port} is in use; choose another with --port, or 0 for any free one.");
        }
    }

    private static WebApplication Build(ServerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(8));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // HTTP/2 needs TLS to be negotiated, which a proxy in front brings.
            kestrel.Listen(options.Listen, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.UseDirectSocketOutput();
            });

            // Each route bounds its own bodies, and says so in its answer.
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Services.AddPushQueue(queue => options.ApplyTo(queue, []));

        var app = builder.Build();
        app.Use(SecurePagesAsync);

        // Before routing: the last route takes every path, and static files leave a path alone that a route has taken.
        app.UseDefaultFiles().UseStaticFiles();
        app.UseRouting();
        app.MapPushQueue();
        app.MapPushQueueNotFound();
        return app;
    }

    /// <summary>The pages load nothing from elsewhere, and no other page may frame them.</summary>
    private static Task SecurePagesAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is "/" or [.., '.', 'h', 't', 'm', 'l'])
        {
            context.Response.Headers.ContentSecurityPolicy =
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
            context.Response.Headers.XContentTypeOptions = "nosniff";
        }

        return next(context);
    }

    private static int Fail(int code, string sentences)
    {
        Console.Error.WriteLine(sentences);
        return code;
    }
}
