using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The rights that PushQueue needs as a user of Redis. A missing right is found before the first script runs, not by the first call that
/// needs it: Redis names neither the command nor the user when it refuses a command inside a script.
/// </summary>
internal static class RedisRights
{
    /// <summary>The arguments of Scripts/CheckRights.lua.</summary>
    public static RedisValue[] Arguments(RedisKeys keys, RedisStoreOptions options)
    {
        RedisKey[] samples = [keys.Queue(QueueName.Parse("any")), keys.Directory, keys.Nodes, keys.Due[0]];
        var arguments = new List<RedisValue> { samples.Length };
        arguments.AddRange(samples.Select(static key => (RedisValue)(string)key!));
        arguments.AddRange(["EVALSHA 0 0", "SCRIPT LOAD x", "TIME", "PING", "UNSUBSCRIBE"]);
        arguments.AddRange(keys.Channels.SelectMany(static channel => new RedisValue[] { $"PUBLISH {channel} x", $"SUBSCRIBE {channel}" }));
        if (options.WaitForReplicas > 0)
        {
            arguments.Add("WAIT 1 1");
        }

        return [.. arguments];
    }

    /// <summary>The end of a sentence that begins with "Redis" and names what is missing; null if nothing is.</summary>
    public static string? WhyNot(RedisValue[] refused, RedisKeys keys)
    {
        if (refused.Length == 0)
        {
            return null;
        }

        var refusals = refused.Chunk(2).Select(static pair => (Sample: (long)pair[0], Command: (string)pair[1]!)).ToList();
        var onKeys = refusals.Where(static refusal => refusal.Sample > 0).ToList();
        var most = onKeys.GroupBy(static refusal => refusal.Sample).Select(static group => group.Count()).DefaultIfEmpty().Max();
        var missing = new List<string>();
        if (most == CommandsOnKeys)
        {
            // Every command is refused on some key, so the keys are missing; which commands are too shows the next time.
            missing.Add($"~{keys.Pattern}");
        }
        else
        {
            missing.AddRange(onKeys.Select(static refusal => Right(refusal.Command)));
        }

        missing.AddRange(refusals.Where(static refusal => refusal.Sample == 0).Select(static refusal => Right(refusal.Command)));
        if (refusals.Exists(static refusal => refusal.Command is "PUBLISH" or "SUBSCRIBE"))
        {
            missing.Add($"&{keys.Pattern}");
        }

        return $"does not grant its user all rights that PushQueue needs; add {string.Join(' ', missing.Distinct(StringComparer.Ordinal))} "
            + "(ACL SETUSER; docs/redis.md has the whole line)";
    }

    /// <summary>How many commands Scripts/CheckRights.lua checks for each key.</summary>
    internal const int CommandsOnKeys = 34;

    private static string Right(string command) => command == "SCRIPT" ? "+script|load" : $"+{command.ToLowerInvariant()}";
}
