using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;

namespace PushQueue.Tests.Dialects;

/// <summary>A server, and what goes before a dialect's paths there: a prefix, or the address of its own port.</summary>
internal sealed record DialectPlace(PushQueueServer Server, string Base)
{
    /// <summary>Under the prefix on the main port, over the embedded store.</summary>
    public static async Task<DialectPlace> UnderItsPrefixAsync(string dialect, TimeProvider time) =>
        new(await PushQueueServer.StartAsync(time: time), "/" + dialect);

    /// <summary>At the root of its own port, over the embedded store.</summary>
    public static Task<DialectPlace> AtItsOwnPortAsync(string dialect, TimeProvider time) => AtItsOwnPortAsync(dialect, time, _ => { });

    /// <summary>At the root of its own port, over Redis.</summary>
    public static async Task<DialectPlace> OverRedisAsync(string dialect, TimeProvider time, SharedRedis redis)
    {
        var store = await redis.OptionsAsync();
        return await AtItsOwnPortAsync(dialect, time, options =>
        {
            options.Storage.Redis = store.Configuration;
            options.Storage.RedisKeyPrefix = store.KeyPrefix;
        });
    }

    private static async Task<DialectPlace> AtItsOwnPortAsync(string dialect, TimeProvider time, Action<PushQueueOptions> configure)
    {
        var server = await PushQueueServer.StartAsync(configure, time, dialect);
        return new DialectPlace(server, server.PortOf(dialect).GetLeftPart(UriPartial.Authority));
    }
}
