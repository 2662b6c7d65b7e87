using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using PushQueue.Hosting;

namespace PushQueue.Server;

/// <summary>How the server listens: plain or with TLS, and what it takes from a connection.</summary>
internal static class ServerListening
{
    public static void Configure(KestrelServerOptions kestrel, ServerOptions options, ServerCertificate? certificate)
    {
        kestrel.AddServerHeader = false;

        var limits = kestrel.ApplicationServices.GetRequiredService<PushQueueOptions>().Connections;
        kestrel.UseLimits(limits);

        // Each route bounds its own bodies, and says so in its answer.
        kestrel.Limits.MaxRequestBodySize = null;
        foreach (var address in options.Listen)
        {
            address.Listen(kestrel, options.Port, listen => ConfigureHttp(listen, certificate));
        }

        // A socket has no ports, so it is the main port's alone.
        foreach (var (dialect, port) in options.DialectPorts)
        {
            foreach (var address in options.ListenWithPorts)
            {
                address.Listen(kestrel, port, listen =>
                {
                    ConfigureHttp(listen, certificate);
                    listen.UsePushQueueDialect(dialect);
                });
            }
        }

        if (options.SyslogPort is { } syslog)
        {
            foreach (var address in options.ListenWithPorts)
            {
                address.Listen(kestrel, syslog, listen => listen.UseConnectionLimits(plain: false).UsePushQueueSyslog());
            }
        }
    }

    private static void ConfigureHttp(ListenOptions listen, ServerCertificate? certificate)
    {
        // Only TLS can negotiate HTTP/2.
        listen.Protocols = certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
        listen.UseConnectionLimits(plain: certificate is null);
        if (listen.SocketPath is null)
        {
            listen.UseDirectSocketOutput();
        }

        if (certificate is not null)
        {
            UseTls(listen, certificate);
        }
    }

    private static void UseTls(ListenOptions listen, ServerCertificate certificate)
    {
        var logger = listen.ApplicationServices.GetRequiredService<ILogger<ServerCertificate>>();
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => new(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current(logger) }),
        });
    }
}
