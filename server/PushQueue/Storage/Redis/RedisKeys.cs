using System.Globalization;
using System.Text;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The only place with a key's name. All keys of a queue begin with its hash's key and share the hash tag <c>{queue}</c>, with those of its
/// dead-letter queue too, so that one script may move a message between them: <c>pq:{orders}:0</c> and <c>pq:{orders}:1</c>, then
/// <c>:ready</c> and so on. Braces and percent signs of a name are written as %7B, %7D and %25.
/// </summary>
/// <param name="prefix">Begins every name.</param>
/// <param name="database">The number of the database. Channels carry it, because pub/sub of Redis knows no databases.</param>
internal sealed class RedisKeys(string prefix, int database)
{
    /// <summary>The ends of a queue's keys, behind the key of its hash.</summary>
    public static IReadOnlyList<string> Suffixes { get; } =
    [
        ":ready", ":delayed", ":leased", ":expiring", ":bound", ":callers", ":messages", ":states", ":ids", ":keys", ":known", ":history",
        ":latest", ":rounds", ":turns", ":buried", ":blocked", ":line", ":keyed", ":keynames", ":turn",
        ":earlier", ":earlynums",
    ];

    /// <summary>Names of all queues, in their order.</summary>
    public RedisKey Directory { get; } = $"{prefix}:{{directory}}";

    /// <summary>Numbers of the living nodes, and of nodes that were not declared dead yet.</summary>
    public RedisKey Nodes { get; } = $"{prefix}:{{nodes}}";

    public RedisKey Incarnation { get; } = $"{prefix}:{{nodes}}:incarnation";

    /// <summary>The secret that signs tokens.</summary>
    public RedisKey Secret { get; } = $"{prefix}:{{nodes}}:secret";

    /// <summary>The totals of all queues.</summary>
    public RedisKey Totals { get; } = $"{prefix}:{{nodes}}:totals";

    /// <summary>The registry of subscriptions between queues, where there is one for all; see Scripts/Part.Feeds.lua.</summary>
    public RedisKey Subscriptions { get; } = $"{prefix}:{{subscriptions}}";

    /// <summary>When which queue is due, and which of them a node is sweeping.</summary>
    public RedisKey[] Due { get; } = [$"{prefix}:{{due}}:at", $"{prefix}:{{due}}:claimed"];

    /// <summary>The channel of notifications between nodes.</summary>
    public string Notifications { get; } = Channel(prefix, database, "notifications");

    /// <summary>The channel of the client library.</summary>
    public string Configuration { get; } = Channel(prefix, database, "configuration");

    /// <summary>Begins the names of the channels of SignalR's backplane.</summary>
    public string Hub { get; } = Channel(prefix, database, "hub:");

    /// <summary>The channel of questions to all nodes.</summary>
    public string Questions { get; } = Channel(prefix, database, "questions");

    /// <summary>The channel of answers to one node.</summary>
    public string AnswersFor(string asker) => Channel(prefix, database, $"answers:{asker}");

    /// <summary>Exists as long as the node counts as alive.</summary>
    public RedisKey Liveness(string node) => $"{prefix}:{{nodes}}:life:{node}";

    /// <summary>The queues in which a node has leases that are bound to its life.</summary>
    public RedisKey QueuesOf(string node) => $"{prefix}:{{nodes}}:queues:{node}";

    /// <summary>The number of the database.</summary>
    public int Database => database;

    /// <summary>Matches every key and channel, as an access control list of Redis writes it.</summary>
    public string Pattern { get; } = $"{prefix}:*";

    /// <summary>Samples of all channels.</summary>
    public IReadOnlyList<string> Channels => [Notifications, Questions, Configuration, AnswersFor("any"), $"{Hub}any"];

    /// <summary>The queue's hash; its other keys are this with a suffix.</summary>
    public RedisKey Queue(QueueName queue)
    {
        var depth = 0;
        while (queue.IsDeadLetter)
        {
            queue = queue.Source;
            depth++;
        }

        return $"{prefix}:{{{Encode(queue.Value)}}}:{depth}";
    }

    /// <summary>
    /// All keys that a script on the queue may touch, the hash first: the queue's own, and those of the queue that it moves dead letters to
    /// (or, for a dead-letter queue, replays them to). A Redis Cluster needs to know each: while it moves a slot from one server to another
    /// it refuses a script completely if one of these has moved, but would stop it in the middle at a key that was not named.
    /// </summary>
    public RedisKey[] All(QueueName queue)
    {
        var (own, neighbour) = (Queue(queue), Queue(queue.IsDeadLetter ? queue.Source : queue.DeadLetter));
        return [own, .. Suffixes.Select(suffix => own.Append(suffix)), neighbour, .. Suffixes.Select(suffix => neighbour.Append(suffix))];
    }

    /// <summary>
    /// The same on a Redis Cluster, where the name of a queue may choose its hash tag (<see cref="TagOf"/>), so that queues can feed each
    /// other. Last the registry of subscriptions of that tag.
    /// </summary>
    public RedisKey[] AllOnCluster(QueueName queue)
    {
        var (live, depth) = (queue, 0);
        for (; live.IsDeadLetter; live = live.Source)
        {
            depth++;
        }

        var tag = TagOf(live.Value);
        var registry = (RedisKey)$"{prefix}:{{{Encode(tag)}}}:subscriptions";
        if (tag == live.Value)
        {
            return [.. All(queue), registry];
        }

        RedisKey At(int depth) => string.Create(CultureInfo.InvariantCulture, $"{prefix}:{{{Encode(tag)}}}:{Encode(live.Value)}:{depth}");
        var (own, neighbour) = (At(depth), At(depth > 0 ? depth - 1 : 1));
        return
        [
            own, .. Suffixes.Select(suffix => own.Append(suffix)),
            neighbour, .. Suffixes.Select(suffix => neighbour.Append(suffix)),
            registry,
        ];
    }

    /// <summary>The text between the first braces of a name, unless it is empty or missing; else the whole name.</summary>
    public static string TagOf(string name)
    {
        var open = name.IndexOf('{', StringComparison.Ordinal);
        var close = open < 0 ? -1 : name.IndexOf('}', open);
        return close > open + 1 ? name[(open + 1)..close] : name;
    }

    /// <summary>The hash tag that all names have which a pattern fits; null where they may have different ones.</summary>
    public static string? TagOfPattern(string pattern)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        var close = pattern.IndexOf('}', StringComparison.Ordinal);
        var hasTag = TagOf(pattern) != pattern;
        return star < 0 ? TagOf(pattern) : hasTag && close < star ? TagOf(pattern) : null;
    }

    /// <summary>Why a queue cannot subscribe to others on a Redis Cluster: a script reaches the keys of one slot only.</summary>
    public static BrokerFailure? WhyNotInOneSlot(QueueName queue, QueueSubscriptions? subscriptions)
    {
        foreach (var entry in subscriptions?.Entries ?? [])
        {
            if (TagOfPattern(entry.To) != TagOf(queue.Value))
            {
                return new BrokerFailure(
                    QueueError.BadOption,
                    $"On a Redis Cluster '{queue}' can only subscribe to queues with the same hash tag, "
                    + $"and '{entry.To}' has another one or none; "
                    + "write both names with the same {tag}, as in {shop}billing and {shop}orders.");
            }
        }

        return null;
    }

    private static string Channel(string prefix, int database, string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}:{database}:{name}");

    private static string Encode(string name) => name.AsSpan().IndexOfAny('{', '}', '%') < 0
        ? name
        : new StringBuilder(name).Replace("%", "%25").Replace("{", "%7B").Replace("}", "%7D").ToString();
}
