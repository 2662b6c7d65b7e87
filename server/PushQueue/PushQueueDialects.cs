using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Dialects;
using PushQueue.Dialects.Presque;
using PushQueue.Dialects.Redisched;
using PushQueue.Dialects.RestMq;

namespace PushQueue;

/// <summary>
/// The APIs of other systems that the queue speaks too, each under its prefix and, where a listener is given to it, at the root of a port.
/// </summary>
public static class PushQueueDialects
{
    /// <summary>All of them; a new dialect is one more line.</summary>
    internal static IReadOnlyList<Dialect> All { get; } =
    [
        RestMqEndpoints.Dialect,
        PresqueEndpoints.Dialect,
        RedischedEndpoints.Dialect,
    ];

    /// <summary>Their names, which are their prefixes: <c>restmq</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(static dialect => dialect.Name)];

    /// <summary>Gives a listener to one dialect, which is then served at its root, alone.</summary>
    /// <exception cref="ArgumentException">There is no such dialect.</exception>
    public static ListenOptions UsePushQueueDialect(this ListenOptions listen, string name)
    {
        ArgumentNullException.ThrowIfNull(listen);
        if (!Names.Contains(name, StringComparer.Ordinal))
        {
            throw new ArgumentException($"There is no dialect '{name}'; there are {string.Join(", ", Names)}.", nameof(name));
        }

        var port = new DialectPort(name);
        listen.Use(next => connection =>
        {
            connection.Features.Set(port);
            return next(connection);
        });
        return listen;
    }

    /// <summary>Gives a listener to syslog: RestMQ's way of putting each line on the queue <c>syslogd:ADDRESS</c> of its sender.</summary>
    public static ListenOptions UsePushQueueSyslog(this ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var receiver = listen.ApplicationServices.GetRequiredService<SyslogReceiver>();
        listen.Run(receiver.OnConnectedAsync);
        return listen;
    }
}
