using PushQueue.Delivery;
using PushQueue.Diagnostics;
using PushQueue.Dialects.Redisched;
using PushQueue.Dialects.RestMq;
using PushQueue.Hosting;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Storage;
using PushQueue.Storage.Redis;

namespace PushQueue;

/// <summary>All options of the queue, a class per concern.</summary>
public sealed class PushQueueOptions
{
    /// <summary>Where and how messages are kept.</summary>
    public StorageOptions Storage { get; } = new();

    /// <summary>Limits on messages.</summary>
    public QueuesOptions Queues { get; } = new();

    /// <summary>How messages are pushed.</summary>
    public DeliveryOptions Delivery { get; } = new();

    /// <summary>Limits on connections, all together and by address.</summary>
    public ConnectionOptions Connections { get; } = new();

    /// <summary>Which web pages may use the server.</summary>
    public SecurityOptions Security { get; } = new();

    /// <summary>Metrics and traces of the node.</summary>
    public DiagnosticsOptions Diagnostics { get; } = new();

    /// <summary>The RestMQ dialect.</summary>
    public RestMqOptions RestMq { get; } = new();

    /// <summary>Pushing jobs to URLs.</summary>
    public RedischedOptions Redisched { get; } = new();

    /// <summary>
    /// Everything that is wrong, a sentence each that names the option and, in brackets, the server's switch; empty when all is well.
    /// </summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(Storage.DataDirectory))
        {
            errors.Add("Storage.DataDirectory (--data) is empty; name a folder.");
        }

        if (Durability.TryParse(Storage.Durability) is null)
        {
            errors.Add(
                $"Storage.Durability (--durability) is '{Storage.Durability}'; "
                + "use synced, memory, or interval:50ms with 1ms to 1m for the time.");
        }

        if (Storage.Redis is { } redis && RedisAddress.WhyNot(redis) is { } wrong)
        {
            errors.Add($"Storage.Redis (--redis): {wrong}");
        }

        if (Storage.RedisCertificateAuthority is { } authority && RedisAddress.WhyNotAuthority(authority) is { } unreadable)
        {
            errors.Add($"Storage.RedisCertificateAuthority (--redis-ca): {unreadable}");
        }

        if (Storage.RedisKeyPrefix.Length is 0 or > 32 || !Storage.RedisKeyPrefix.All(char.IsAsciiLetterOrDigit))
        {
            errors.Add($"Storage.RedisKeyPrefix (--redis-prefix) is '{Storage.RedisKeyPrefix}'; use 1 to 32 letters and digits.");
        }

        InRange(errors, "Storage.RedisWait (--redis-wait)", Storage.RedisWait, 0, 10);
        InRange(errors, "Storage.SegmentBytes", Storage.SegmentBytes, 64 * 1024, 1L << 40);
        InRange(errors, "Storage.CacheBytesMax", Storage.CacheBytesMax, 0, 1L << 40);

        // A record of the log holds one message and its length is a signed 32-bit number; 512 MiB leaves room for headers.
        InRange(errors, "Queues.MessageBytesMax (--max-message-bytes)", Queues.MessageBytesMax, 1, 512 * 1024 * 1024);
        foreach (var limit in PushQueueLimit.All)
        {
            InRange(errors, $"{limit.Option} (--limit {limit.Name})", limit.Get(this) ?? limit.Min, limit.Min, limit.Max);
        }

        InRange(errors, "Queues.WorkerAgeMax (--worker-expires)", Queues.WorkerAgeMax, QueueExpiry.ShortestAfter, TimeSpan.FromDays(366));
        foreach (var expires in Queues.Expires)
        {
            InRange(
                errors, $"Queues.Expires (--expires) for '{expires.Queues}'", expires.After, QueueExpiry.ShortestAfter, Duration.Longest);
        }

        InRange(errors, "Connections.DeadPeerTimeout", Connections.DeadPeerTimeout, TimeSpan.FromSeconds(6), TimeSpan.FromMinutes(10));
        InRange(
            errors, "Connections.KeepAliveTimeout (--keep-alive)", Connections.KeepAliveTimeout,
            TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        InRange(errors, "Connections.UploadGrace", Connections.UploadGrace, TimeSpan.FromSeconds(1.1), TimeSpan.FromMinutes(10));

        InRange(errors, "Delivery.StallTimeout", Delivery.StallTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        InRange(errors, "Delivery.HeartbeatInterval", Delivery.HeartbeatInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        InRange(errors, "Delivery.DrainTimeout", Delivery.DrainTimeout, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        InRange(errors, "Diagnostics.QueueSeriesMax (--metrics-queues)", Diagnostics.QueueSeriesMax, 0, 100_000);
        InRange(errors, "Redisched.PushConcurrency", Redisched.PushConcurrency, 1, 10_000);
        errors.AddRange(Redisched.PushAllowed.Where(static rule => !PushRule.TryParse(rule, out _)).Select(
            static rule => $"Redisched.PushAllowed (--push-allow) has '{rule}'; "
                + "give loopback, an address, a network such as 10.0.0.0/8, the name of a host, or *."));
        errors.AddRange(Security.AllowedOrigins.Where(static origin => SecurityOptions.NormalOrigin(origin) is null).Select(
            static origin =>
                $"Security.AllowedOrigins (--allow-origin) has '{origin}'; give an origin such as https://app.example, or * for all."));
        errors.AddRange(Security.Jwt.Validate());
        if (RestMq.AccessFile is { } accessFile && Dialects.RestMq.AccessFile.Read(accessFile, out var whyNot) is null)
        {
            errors.Add(whyNot!);
        }

        return errors;
    }

    private static void InRange(List<string> errors, string option, TimeSpan value, TimeSpan min, TimeSpan max)
    {
        if (value < min || value > max)
        {
            errors.Add($"{option} is {value}; use {min} to {max}.");
        }
    }

    private static void InRange(List<string> errors, string option, long value, long min, long max)
    {
        if (value < min || value > max)
        {
            errors.Add($"{option} is {value}; use {min} to {max}.");
        }
    }
}
