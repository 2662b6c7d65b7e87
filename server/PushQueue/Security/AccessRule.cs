using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>To what a permission is asked for.</summary>
internal enum AccessScope
{
    /// <summary>Anybody, without a key.</summary>
    Public,

    /// <summary>Any valid key: the handler asks further, by queue, or shows what the key may see.</summary>
    AnyKey,

    /// <summary>The queue in the path, at <c>{queue}</c>, or the only one that the route is about.</summary>
    Queue,

    /// <summary>
    /// The queue that the query string or the body names: the handler asks when it has read that, and before it does anything.
    /// </summary>
    QueueInRequest,

    /// <summary>Every queue: what concerns the node.</summary>
    Node,
}

/// <summary>The permission that one method of a route asks of its caller.</summary>
/// <param name="Scope">To what.</param>
/// <param name="AnyOf">Which permissions, any of which will do.</param>
internal sealed record AccessRule(AccessScope Scope, Permissions AnyOf = Permissions.None)
{
    public static readonly AccessRule Public = new(AccessScope.Public);

    public static readonly AccessRule AnyKey = new(AccessScope.AnyKey);

    public static readonly AccessRule Put = Queue(Permissions.Put);

    public static readonly AccessRule Take = Queue(Permissions.Take);

    public static readonly AccessRule Manage = Queue(Permissions.Manage);

    /// <summary>Counters and settings of one queue.</summary>
    public static readonly AccessRule Stats = Queue(Permissions.Any);

    /// <summary>Bodies of messages that stay where they are.</summary>
    public static readonly AccessRule Look = Queue(Permissions.Take | Permissions.Listen | Permissions.Manage);

    /// <summary>Ack, release, touch: the receipt shows that the message was given to the caller.</summary>
    public static readonly AccessRule Settle = Queue(Permissions.Take | Permissions.Listen);

    /// <summary>Cancel and reschedule: a producer's right on its messages, and everybody's who could take them away anyway.</summary>
    public static readonly AccessRule Cancel = Queue(Permissions.Put | Permissions.Take | Permissions.Manage);

    public static readonly AccessRule Listen = Queue(Permissions.Listen) with { Lasts = true };

    /// <summary>A stream over many queues, which the query names.</summary>
    public static readonly AccessRule ListenToMany = QueueInRequest(Permissions.Listen) with { Lasts = true };

    /// <summary>A socket, over which every command is asked for by itself.</summary>
    public static readonly AccessRule Socket = AnyKey with { Lasts = true };

    /// <summary>The hub: a connection that was negotiated is made of many requests, so it counts itself when it stands.</summary>
    public static readonly AccessRule Hub = Socket with { CountsItself = true };

    /// <summary>
    /// A connection that lasts: it counts as one of the key's, and the key may be in the URL, because browsers can put it nowhere else when
    /// they open one.
    /// </summary>
    public bool Lasts { get; init; }

    /// <summary>
    /// Whether the connection counts itself as one of the key's. The requests that open it are refused where there is no room for it.
    /// </summary>
    public bool CountsItself { get; init; }

    /// <summary>The only queue that the route is about; null where the path names it.</summary>
    public QueueName? Only { get; init; }

    public static AccessRule Queue(Permissions anyOf) => new(AccessScope.Queue, anyOf);

    /// <param name="anyOf">All that may be asked for; which of them, the request says.</param>
    public static AccessRule QueueInRequest(Permissions anyOf) => new(AccessScope.QueueInRequest, anyOf);

    public static AccessRule Node(Permissions anyOf) => new(AccessScope.Node, anyOf);
}
