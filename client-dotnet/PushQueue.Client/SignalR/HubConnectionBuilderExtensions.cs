using Microsoft.AspNetCore.Http.Connections;
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
        return builder.WithPushQueueHub(server.GetLeftPart(UriPartial.Path).TrimEnd('/'), key, invoker: null);
    }

    /// <summary>Without negotiation, so that servers behind a load balancer need no sticky sessions.</summary>
    internal static IHubConnectionBuilder WithPushQueueHub(
        this IHubConnectionBuilder builder, string root, string? key, HttpMessageInvoker? invoker)
    {
        builder.WithUrl(root + "/hub", HttpTransportType.WebSockets, options =>
        {
            options.SkipNegotiation = true;
            options.AccessTokenProvider = key is null ? null : () => Task.FromResult<string?>(key);

            // A browser opens the WebSocket itself; SignalR then puts the key into the address.
            if (!OperatingSystem.IsBrowser())
            {
                options.WebSocketFactory = new HubWebSocket(key is null ? null : $"Bearer {key}", invoker).ConnectAsync;
            }
        });
        builder.Services.AddSingleton<IHubProtocol, PushQueueHubProtocol>();
        return builder;
    }
}
