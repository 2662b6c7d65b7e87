using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Delivery;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Knows the connections of the queue's hub. Pages of messages go straight into a connection's buffer: SignalR gives a lifetime manager
/// each <see cref="HubConnectionContext"/>, a hub only proxies that serialize again for each message. Everything that is sent in SignalR's
/// own ways (groups, users, all) goes to the inner manager, with a backplane to the connections of all nodes.
/// </summary>
internal sealed class PushLifetimeManager(
    [FromKeyedServices(PushLifetimeManager.Inner)] HubLifetimeManager<PushHub> inner,
    Dispatcher dispatcher,
    ConsumerConnections sessions,
    ConnectionCallers callers,
    HubBackplane? backplane = null) : HubLifetimeManager<PushHub>
{
    /// <summary>The key of the manager behind this one.</summary>
    public const string Inner = "PushQueue.Hub";

    private readonly ConcurrentDictionary<string, HubClient> _clients = new(StringComparer.Ordinal);

    public HubClient? Find(string connectionId) => _clients.GetValueOrDefault(connectionId);

    public override async Task OnConnectedAsync(HubConnectionContext connection)
    {
        // A connection that came through HubSocketEndpoint brings its buffer along, past SignalR; to any other SignalR writes the pages.
        var client = connection.Features.Get<OutboundBuffer>() is { } own
            ? new HubClient(own, FormsOf(connection, frames: true), Session: null)
            : Open(connection);
        _clients[connection.ConnectionId] = client;
        if (client.Session is not null && !client.TryConnect())
        {
            // Another one came between the check of the request and this.
            connection.Abort();
        }

        if (backplane is null)
        {
            await AttachAsync(client, connection);
        }
        else
        {
            client.Attached = backplane.RunConnectedAsync(() => AttachAsync(client, connection), connection.ConnectionAborted);
        }
    }

    public override async Task OnDisconnectedAsync(HubConnectionContext connection)
    {
        _clients.TryRemove(connection.ConnectionId, out var client);
        if (client is not null)
        {
            client.Disconnect();
            if (client.Session is { } session)
            {
                await session.DisposeAsync();
            }
            else
            {
                // The messages that the consumer holds go back now, not after its closing notice is written.
                dispatcher.UnsubscribeAll(client.Buffer);
            }
        }

        if (client is not null)
        {
            await DetachAsync(client, connection);
        }
    }

    public override Task SendAllAsync(string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendAllAsync(methodName, args, cancellationToken);

    public override Task SendAllExceptAsync(
        string methodName, object?[] args, IReadOnlyList<string> excludedConnectionIds, CancellationToken cancellationToken = default) =>
        inner.SendAllExceptAsync(methodName, args, excludedConnectionIds, cancellationToken);

    public override Task SendConnectionAsync(
        string connectionId, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendConnectionAsync(connectionId, methodName, args, cancellationToken);

    public override Task SendConnectionsAsync(
        IReadOnlyList<string> connectionIds, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendConnectionsAsync(connectionIds, methodName, args, cancellationToken);

    public override Task SendGroupAsync(
        string groupName, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendGroupAsync(groupName, methodName, args, cancellationToken);

    public override Task SendGroupsAsync(
        IReadOnlyList<string> groupNames, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendGroupsAsync(groupNames, methodName, args, cancellationToken);

    public override Task SendGroupExceptAsync(
        string groupName,
        string methodName,
        object?[] args,
        IReadOnlyList<string> excludedConnectionIds,
        CancellationToken cancellationToken = default) =>
        inner.SendGroupExceptAsync(groupName, methodName, args, excludedConnectionIds, cancellationToken);

    public override Task SendUserAsync(string userId, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendUserAsync(userId, methodName, args, cancellationToken);

    public override Task SendUsersAsync(
        IReadOnlyList<string> userIds, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendUsersAsync(userIds, methodName, args, cancellationToken);

    public override async Task AddToGroupAsync(string connectionId, string groupName, CancellationToken cancellationToken = default)
    {
        await WhenAttachedAsync(connectionId, cancellationToken);
        await inner.AddToGroupAsync(connectionId, groupName, cancellationToken);
    }

    public override async Task RemoveFromGroupAsync(
        string connectionId, string groupName, CancellationToken cancellationToken = default)
    {
        await WhenAttachedAsync(connectionId, cancellationToken);
        await inner.RemoveFromGroupAsync(connectionId, groupName, cancellationToken);
    }

    public override Task<T> InvokeConnectionAsync<T>(
        string connectionId, string methodName, object?[] args, CancellationToken cancellationToken) =>
        inner.InvokeConnectionAsync<T>(connectionId, methodName, args, cancellationToken);

    public override Task SetConnectionResultAsync(string connectionId, CompletionMessage result) =>
        inner.SetConnectionResultAsync(connectionId, result);

    public override bool TryGetReturnType(string invocationId, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Type? type) =>
        inner.TryGetReturnType(invocationId, out type);

    private Task WhenAttachedAsync(string connectionId, CancellationToken cancelled) =>
        Find(connectionId) is { } client ? client.Attached.WaitAsync(cancelled) : Task.CompletedTask;

    private Task AttachAsync(HubClient client, HubConnectionContext connection)
    {
        client.HasBegunToAttach = true;
        return inner.OnConnectedAsync(connection);
    }

    /// <summary>
    /// Takes the connection out of the inner manager, also if that was cut off while it took it in: it keeps what it had noted by then.
    /// </summary>
    private async Task DetachAsync(HubClient client, HubConnectionContext connection)
    {
        await client.Attached.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!client.HasBegunToAttach)
        {
            return;
        }

        try
        {
            await HubBackplane.RunOnceAsync(() => inner.OnDisconnectedAsync(connection));
        }
        catch (InvalidOperationException) when (!client.Attached.IsCompletedSuccessfully)
        {
            // The inner manager had not made the connection's list of groups yet. It forgets the connection before it asks for the list.
        }
    }

    private HubClient Open(HubConnectionContext connection)
    {
        var http = connection.Features.Get<IHttpContextFeature>()?.HttpContext;
        var address = http?.Connection.RemoteIpAddress?.ToString();
        var forms = FormsOf(connection, frames: false);
        var session = sessions.Begin(new HubConsumerConnection(connection, forms, callers.Of(connection.User), address));
        session.Buffer.Open();
        return new HubClient(session.Buffer, forms, session);
    }

    private static HubForms FormsOf(HubConnectionContext connection, bool frames) =>
        HubForms.Of(connection.Protocol?.Name == PackedHubFormat.Envelopes.Protocol, frames);
}
