using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using PushQueue.Security;

namespace PushQueue.Transports;

/// <summary>
/// Finds whose key a request carries. A connection that sends the same key or token again is not checked again: the web server gives the
/// same string object for a header that has not changed since the connection's last request, so an object that was found good once is good
/// as long as the rules are the same. Nothing of the key is kept that the web server does not keep anyway, and no other connection gains by
/// it.
/// </summary>
internal static class KnownKeys
{
    public static Caller? Find(HttpContext context, AccessControl access, bool lasts, out string whyNot)
    {
        var items = ItemsOf(context, out var header);
        if (items is not null
            && items.TryGetValue(typeof(KnownKey), out var item) && item is KnownKey known
            && ReferenceEquals(known.Header, header) && known.Version == access.Version && !access.HasExpired(known.Caller))
        {
            whyNot = "";
            return known.Caller.User is { } user ? access.FindUser(user) : known.Caller;
        }

        // Before it is looked for: what changes meanwhile makes the entry old at once.
        var version = access.Version;
        var found = access.Find(Credentials.Read(context.Request, lasts), out whyNot);
        if (items is not null && found is not null)
        {
            items[typeof(KnownKey)] = new KnownKey(header!, found, version);
        }

        return found;
    }

    /// <summary>Remembers the caller of a token, whose check takes longer than that of a key.</summary>
    /// <param name="context">The request that carries the token.</param>
    /// <param name="caller">Its caller.</param>
    /// <param name="version">The version of the rules before the check.</param>
    public static void Remember(HttpContext context, Caller caller, int version)
    {
        if (ItemsOf(context, out var header) is { } items)
        {
            items[typeof(KnownKey)] = new KnownKey(header!, caller, version);
        }
    }

    private static IDictionary<object, object?>? ItemsOf(HttpContext context, out string? header)
    {
        // Requests of one connection come one after another in HTTP/1.1 only, so only there its items can be used without a lock.
        header = context.Request.Headers.Authorization is [{ } one] && HttpProtocol.IsHttp11(context.Request.Protocol) ? one : null;
        return header is null ? null : context.Features.Get<IConnectionItemsFeature>()?.Items;
    }

    private sealed record KnownKey(string Header, Caller Caller, int Version);
}
