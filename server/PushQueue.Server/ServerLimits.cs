using System.Globalization;
using System.Net;

namespace PushQueue.Server;

/// <summary>
/// Reads <c>--limit NAME=NUMBER</c> and <c>--proxy ADDRESS</c>. <see cref="PushQueueLimit.All"/> is the table of the limits.
/// </summary>
internal static class ServerLimits
{
    /// <summary>The names of all limits.</summary>
    public static string Names { get; } = string.Join(", ", PushQueueLimit.All.Select(static limit => limit.Name));

    /// <summary>Sets limits out of <c>NAME=NUMBER</c>; what is wrong with one is added to the errors.</summary>
    public static void Apply(IReadOnlyList<string> limits, PushQueueOptions options, List<string> errors)
    {
        foreach (var limit in limits)
        {
            var equals = limit.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || PushQueueLimit.All.FirstOrDefault(known => known.Name == limit[..equals]) is not { } found)
            {
                errors.Add($"--limit '{limit}': give NAME=NUMBER; the names are {Names}.");
            }
            else if (long.TryParse(limit.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                found.Set(options, value);
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
}
