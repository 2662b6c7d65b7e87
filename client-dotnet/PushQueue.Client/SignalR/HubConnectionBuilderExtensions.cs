using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace PushQueue.Client.SignalR;

/// <summary>Hub connections over a WebSocket without negotiation, for programs that speak to <c>/hub</c> themselves.</summary>
public static class HubConnectionBuilderExtensions
{
    /// <summary>Connects to the hub of a PushQueue server.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="server">The server, such as <c>http://127.0.0.1:8080</c>; <c>/hub</c> is added.</param>
    /// <param name="key">An access key; null for none.</param>
    public static IHubConnectionBuilder WithPushQueue(this IHubConnectionBuilder builder, Uri server, string? key = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(server);
        var root = server.GetLeftPart(UriPartial.Path).TrimEnd('/');
        var hub = new Uri(string.Concat(
            "ws", root.AsSpan(root.IndexOf("://", StringComparison.Ordinal) - (server.Scheme is "https" or "wss" ? 1 : 0)), "/hub"));
        return builder.WithPushQueueHub(hub, new WebSocketConnectionFactory(key is null ? null : $"Bearer {key}", invoker: null));
    }

    internal static IHubConnectionBuilder WithPushQueueHub(this IHubConnectionBuilder builder, Uri hub, WebSocketConnectionFactory factory)
    {
        builder.Services.AddSingleton<IConnectionFactory>(factory);
        builder.Services.AddSingleton<EndPoint>(new UriEndPoint(hub));
        builder.Services.AddSingleton<IHubProtocol, PushQueueHubProtocol>();
        return builder;
    }
}
