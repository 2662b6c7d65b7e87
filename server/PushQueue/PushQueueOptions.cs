using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Storage;

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

    /// <summary>Which web pages may use the server.</summary>
    public SecurityOptions Security { get; } = new();

    /// <summary>Everything that is wrong, a sentence each that names the option and, in brackets, the server's switch; empty when all is well.</summary>
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
                $"Storage.Durability (--durability) is '{Storage.Durability}'; use synced, memory, or interval:50ms with 1ms to 1m for the time.");
        }

        InRange(errors, "Storage.SegmentBytes", Storage.SegmentBytes, 64 * 1024, 1L << 40);
        InRange(errors, "Storage.CacheBytesMax", Storage.CacheBytesMax, 0, 1L << 40);

        // A record of the log holds one message and its length is a signed 32-bit number; 512 MiB leaves room for headers.
        InRange(errors, "Queues.MessageBytesMax (--max-message-bytes)", Queues.MessageBytesMax, 1, 512 * 1024 * 1024);
        InRange(errors, "Queues.BatchBytesMax", Queues.BatchBytesMax, 1024, 1024 * 1024 * 1024);

        InRange(errors, "Delivery.BufferBytesMax", Delivery.BufferBytesMax, 4 * 1024, 1024 * 1024 * 1024);
        InRange(errors, "Delivery.SubscriptionsPerConnectionMax", Delivery.SubscriptionsPerConnectionMax, 1, 1_000_000);
        InRange(errors, "Delivery.StallTimeout", Delivery.StallTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        InRange(errors, "Delivery.HeartbeatInterval", Delivery.HeartbeatInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        InRange(errors, "Delivery.DrainTimeout", Delivery.DrainTimeout, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        errors.AddRange(Security.AllowedOrigins.Where(static origin => SecurityOptions.NormalOrigin(origin) is null).Select(
            static origin => $"Security.AllowedOrigins (--allow-origin) has '{origin}'; give an origin such as https://app.example, or * for all."));
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
