using Microsoft.AspNetCore.SignalR;

namespace PushQueue;

/// <summary>
/// Sends to the clients of the queue's hub in SignalR's own ways: to a group, a user, one connection or all. Where nodes share the queues
/// over Redis, a send reaches the connections of every node. Nothing of this is stored: a client that is away misses it, and while Redis is
/// out of reach a send fails or reaches this node alone. Put messages that must not be lost into a queue.
/// </summary>
public interface IPushHubContext : IHubContext;
