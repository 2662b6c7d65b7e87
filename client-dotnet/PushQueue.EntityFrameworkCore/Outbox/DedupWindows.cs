using System.Globalization;
using Microsoft.Extensions.Logging;
using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// Has queues know the ids of their messages long enough for a forwarder to be replaced. Settings are read again now and then, because an
/// operator may change them, and a queue may be deleted and made again.
/// </summary>
internal sealed class DedupWindows(IPushQueueAdmin admin, OutboxOptions options, TimeProvider time, ILogger logger)
{
    private const int QueuesMax = 10_000;

    private static readonly TimeSpan Validity = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, long> _checked = new(StringComparer.Ordinal);
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);

    /// <exception cref="PushQueueException">The server cannot be reached.</exception>
    public async Task EnsureAsync(string queue, CancellationToken cancellationToken)
    {
        if (options.DedupWindow is not { } wanted
            || (_checked.TryGetValue(queue, out var at) && time.GetElapsedTime(at) < Validity))
        {
            return;
        }

        if (_checked.Count >= QueuesMax)
        {
            _checked.Clear();
            _refused.Clear();
        }

        try
        {
            await WidenAsync(queue, wanted, cancellationToken).ConfigureAwait(false);
        }
        catch (PushQueueException e) when (e.Status is 400 or 403 or 404)
        {
            // The message itself may still be put; its own refusal would set it aside.
            if (_refused.Add(queue))
            {
                OutboxLog.WindowRefused(logger, queue, wanted, e.Detail);
            }
        }

        _checked[queue] = time.GetTimestamp();
    }

    private async Task WidenAsync(string queue, TimeSpan wanted, CancellationToken cancellationToken)
    {
        var known = await IsWideAsync(queue, wanted, cancellationToken).ConfigureAwait(false);
        if (!known)
        {
            var window = string.Create(CultureInfo.InvariantCulture, $"{(long)Math.Ceiling(wanted.TotalMilliseconds)}ms");
            _ = await admin.ChangeSettingsAsync(queue, new QueueSettingsChange { DedupWindow = window }, cancellationToken)
                .ConfigureAwait(false);
            OutboxLog.WindowChanged(logger, queue, wanted);
        }
    }

    private async Task<bool> IsWideAsync(string queue, TimeSpan wanted, CancellationToken cancellationToken)
    {
        try
        {
            var settings = await admin.GetSettingsAsync(queue, cancellationToken).ConfigureAwait(false);
            return Parse(settings.DedupWindow) >= wanted;
        }
        catch (PushQueueException e) when (e.Status == 404)
        {
            return false;
        }
    }

    /// <summary>A duration as the server writes it: a number and its unit.</summary>
    internal static TimeSpan Parse(string text)
    {
        var digits = text.AsSpan().TrimEnd("dhms");
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            return TimeSpan.Zero;
        }

        return text[digits.Length..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            "d" => TimeSpan.FromDays(number),
            _ => TimeSpan.FromSeconds(number),
        };
    }
}
