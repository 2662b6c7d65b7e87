using System.Globalization;
using System.Net;

namespace PushQueue.Server;

/// <summary>The limits by the names that <c>--limit NAME=NUMBER</c> has for them. docs/SECURITY.md lists them.</summary>
internal static class ServerLimits
{
    private static readonly Dictionary<string, Action<PushQueueOptions, long>> Known = new(StringComparer.Ordinal)
    {
        ["queues"] = static (options, value) => options.Queues.QueuesMax = value,
        ["messages"] = static (options, value) => options.Queues.MessagesMax = value,
        ["bytes"] = static (options, value) => options.Queues.BytesMax = value,
        ["batch"] = static (options, value) => options.Queues.BatchMessagesMax = Narrow(value),
        ["batch-bytes"] = static (options, value) => options.Queues.BatchBytesMax = Narrow(value),
        ["waiting-takes"] = static (options, value) => options.Queues.WaitingTakesMax = Narrow(value),
        ["waiting-puts"] = static (options, value) => options.Queues.WaitingPutsMax = Narrow(value),
        ["waiting-commands"] = static (options, value) => options.Delivery.WaitingCommandsMax = Narrow(value),
        ["commands"] = static (options, value) => options.Delivery.CommandsPerSecondMax = Narrow(value),
        ["subscriptions"] = static (options, value) => options.Delivery.SubscriptionsPerConnectionMax = Narrow(value),
        ["buffer-bytes"] = static (options, value) => options.Delivery.BufferBytesMax = Narrow(value),
        ["buffers-bytes"] = static (options, value) => options.Delivery.BuffersBytesMax = value,
        ["frame-bytes"] = static (options, value) => options.Delivery.FrameBytesMax = Narrow(value),
        ["watchers"] = static (options, value) => options.Diagnostics.WatchersMax = Narrow(value),
        ["connections"] = static (options, value) => options.Connections.ConnectionsMax = Narrow(value),
        ["connections-per-address"] = static (options, value) => options.Connections.PerAddressMax = Narrow(value),
        ["streams-per-connection"] = static (options, value) => options.Connections.StreamsPerConnectionMax = Narrow(value),
        ["header-bytes"] = static (options, value) => options.Connections.HeaderBytesMax = Narrow(value),
        ["upload-bytes-per-second"] = static (options, value) => options.Connections.UploadBytesPerSecondMin = Narrow(value),
    };

    /// <summary>Sets limits out of <c>NAME=NUMBER</c>; what is wrong with one is added to the errors.</summary>
    public static void Apply(IReadOnlyList<string> limits, PushQueueOptions options, List<string> errors)
    {
        foreach (var limit in limits)
        {
            var equals = limit.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !Known.TryGetValue(limit[..equals], out var set))
            {
                errors.Add($"--limit '{limit}': give NAME=NUMBER; the names are {string.Join(", ", Known.Keys)}.");
            }
            else if (long.TryParse(limit.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                set(options, value);
            }
            else
            {
                errors.Add($"--limit '{limit}': '{limit[(equals + 1)..]}' is not a whole number.");
            }
        }
    }

    public static void ApplyProxies(IReadOnlyList<string> addresses, PushQueueOptions options, List<string> errors)
    {
        foreach (var text in addresses)
        {
            if (IPAddress.TryParse(text, out var address))
            {
                options.Connections.Proxies.Add(address);
            }
            else
            {
                errors.Add($"--proxy is '{text}'; give an IP address.");
            }
        }
    }

    // A number beyond an int is beyond every range, and the check of the ranges reports it.
    private static int Narrow(long value) => (int)Math.Min(value, int.MaxValue);
}
