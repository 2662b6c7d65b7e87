using System.Security.Claims;
using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>
/// The maker of a request, and what it may do. A principal, so that it travels with the request, and with SignalR's connections, the way
/// that every adapter knows. One object per key, shared by all its requests and never changed.
/// </summary>
internal sealed class Caller : ClaimsPrincipal
{
    /// <summary>On a server without access control.</summary>
    public static readonly Caller Everybody = new();

    /// <summary>The application that hosts the queue, in process.</summary>
    public static readonly Caller Host = new();

    /// <summary>May do nothing: stands where a request passed no check although it should have.</summary>
    public static readonly Caller Nobody = new(new AccessKey("", "nobody", [], []), new KeyMeter(TimeProvider.System));

    private readonly KeyMeter? _meter;

    public Caller(AccessKey key, KeyMeter meter)
        : base(new ClaimsIdentity([new Claim(ClaimTypes.Name, key.Name), new Claim(ClaimTypes.NameIdentifier, key.Id)], "PushQueueKey"))
    {
        Key = key;
        _meter = meter;
    }

    /// <summary>A user of the application's own authentication. Its name and claims stay what they are.</summary>
    public Caller(ClaimsPrincipal user, IReadOnlyList<AccessGrant> grants, KeyMeter meter)
        : base(user)
    {
        User = user;
        Key = new AccessKey("", user.Identity?.Name ?? "user", [], []) { Grants = grants };
        _meter = meter;
    }

    /// <summary>The owner of a token, which narrows a key.</summary>
    public Caller(Caller owner, AccessToken token)
        : base(owner.Identity!)
    {
        Key = owner.Key;
        _meter = owner._meter;
        Token = token;
    }

    private Caller()
    {
    }

    /// <summary>As the application knows it; null for a key.</summary>
    public ClaimsPrincipal? User { get; }

    /// <summary>Null for <see cref="Everybody"/>.</summary>
    public AccessKey? Key { get; }

    /// <summary>The token of this server by which the caller uses the key; null for the key itself, and for users.</summary>
    public AccessToken? Token { get; }

    /// <summary>Null if the token narrows nothing.</summary>
    private IReadOnlyList<AccessGrant>? Narrowed => Token?.Grants;

    public bool May(Permissions anyOf, QueueName queue)
    {
        if (Key is null)
        {
            return true;
        }

        if (Narrowed is { } narrowed)
        {
            // A permission that both have: not one of the key's and another of the token's.
            return (On(Key.Grants, queue) & On(narrowed, queue)).HasAny(anyOf);
        }

        foreach (var grant in Key.Grants)
        {
            if (grant.Allows(anyOf, queue))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether one grant lets the caller listen to every queue that a name or pattern fits.</summary>
    public bool MayListenTo(string pattern) => MayOnAll(Permissions.Listen, pattern);

    /// <summary>Whether one grant gives the caller a permission on every queue that a name or pattern fits.</summary>
    public bool MayOnAll(Permissions permission, string pattern) =>
        Key is null
        || (Has(Key.Grants, permission, pattern) && (Narrowed is not { } narrowed || Has(narrowed, permission, pattern)));

    /// <summary>Whether he may do so with every queue, which is what the node as a whole asks for.</summary>
    public bool MayEverywhere(Permissions anyOf)
    {
        if (Key is null)
        {
            return true;
        }

        var can = OnEverything(Key.Grants);
        return (Narrowed is { } narrowed ? can & OnEverything(narrowed) : can).HasAny(anyOf);
    }

    /// <summary>Whether he may do so with any queue at all.</summary>
    public bool MaySomewhere(Permissions anyOf)
    {
        if (Key is null)
        {
            return true;
        }

        var can = Together(Key.Grants);
        return (Narrowed is { } narrowed ? can & Together(narrowed) : can).HasAny(anyOf);
    }

    /// <summary>Counts against the key's rates; false where they are used up for now.</summary>
    public bool TrySpend(int messages, long bytes, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        return Key is null || _meter!.TrySpend(Key.Limits, messages, bytes, out wait);
    }

    /// <summary>Counts what turned out to be more than was known when the request came.</summary>
    public void Spend(int messages, long bytes)
    {
        if (Key is not null)
        {
            _meter!.Spend(Key.Limits, messages, bytes);
        }
    }

    public bool TryConnect() => Key is null || _meter!.TryConnect(Key.Limits);

    /// <summary>Whether <see cref="TryConnect"/> would do now.</summary>
    public bool HasRoom => Key is null || _meter!.HasRoom(Key.Limits);

    public void Disconnect() => _meter?.Disconnect();

    private static bool Has(IReadOnlyList<AccessGrant> grants, Permissions permission, string pattern) =>
        grants.Any(grant => grant.Can.HasAny(permission) && grant.CoversAllOf(pattern));

    private static Permissions On(IReadOnlyList<AccessGrant> grants, QueueName queue)
    {
        var can = Permissions.None;
        foreach (var grant in grants)
        {
            can |= grant.On(queue);
        }

        return can;
    }

    private static Permissions OnEverything(IReadOnlyList<AccessGrant> grants) =>
        grants.Where(static grant => grant.CoversAll).Aggregate(Permissions.None, static (can, grant) => can | grant.Can);

    private static Permissions Together(IReadOnlyList<AccessGrant> grants) =>
        grants.Aggregate(Permissions.None, static (can, grant) => can | grant.Can);
}
