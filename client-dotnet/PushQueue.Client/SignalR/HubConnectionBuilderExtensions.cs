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
        return builder.WithPushQueueHub(
            server.GetLeftPart(UriPartial.Path).TrimEnd('/'), key is null ? null : _ => new ValueTask<string?>(key), invoker: null);
    }

    /// <summary>
    /// Connects to the hub of a PushQueue server with a token, which is asked for at each connection. A connection that stands longer than
    /// its token renews it by the hub's method <c>Authenticate</c>.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="server">The server, such as <c>http://127.0.0.1:8080</c>; <c>/hub</c> is added.</param>
    /// <param name="accessTokenProvider">Gives the token; null for none.</param>
    public static IHubConnectionBuilder WithPushQueue(
        this IHubConnectionBuilder builder, Uri server, Func<CancellationToken, Task<string?>> accessTokenProvider)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(accessTokenProvider);
        return builder.WithPushQueueHub(
            server.GetLeftPart(UriPartial.Path).TrimEnd('/'),
            cancellationToken => new ValueTask<string?>(accessTokenProvider(cancellationToken)),
            invoker: null);
    }

    /// <summary>Without negotiation, so that servers behind a load balancer need no sticky sessions.</summary>
    internal static IHubConnectionBuilder WithPushQueueHub(
        this IHubConnectionBuilder builder,
        string root,
        Func<CancellationToken, ValueTask<string?>>? tokens,
        HttpMessageInvoker? invoker)
    {
        builder.WithUrl(root + "/hub", HttpTransportType.WebSockets, options =>
        {
            options.SkipNegotiation = true;
            options.AccessTokenProvider = tokens is null ? null : () => tokens(CancellationToken.None).AsTask();

            // A browser opens the WebSocket itself; SignalR then puts the key into the address.
            if (!OperatingSystem.IsBrowser())
            {
                options.WebSocketFactory = new HubWebSocket(tokens, invoker).ConnectAsync;
            }
        });
        // The last protocol counts. One that the program has added already, such as MessagePack, stays the one.
        if (builder.Services.All(static service => service.ServiceType != typeof(IHubProtocol) || IsJson(service)))
        {
            builder.Services.AddSingleton<IHubProtocol, PushQueueHubProtocol>();
        }

        return builder;
    }

    private static bool IsJson(ServiceDescriptor service) => service.ImplementationType == typeof(JsonHubProtocol);
}
