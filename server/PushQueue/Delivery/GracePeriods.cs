using System.Globalization;
using System.Security.Cryptography;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// The places of consumers that asked for a grace time, by their tokens. While the connection of one is gone its messages stay leased to
/// it, until another connection takes up its place or the time is over. Its lock is a leaf.
/// </summary>
/// <param name="time">Runs the grace times.</param>
/// <param name="node">20 bits that tell this node from the others, with which its tokens begin; 0 where it is the only one.</param>
/// <param name="faults">Keeps a fault in a timer's callback from ending the process.</param>
internal sealed class GracePeriods(TimeProvider time, long node, FaultBorder faults)
{
    // Of 32 digits; the rest is random.
    private const int NodeDigits = 5;
    private const int RandomDigits = 27;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);

    private readonly string _node = node.ToString("x", CultureInfo.InvariantCulture).PadLeft(NodeDigits, '0');

    public string NewToken() => _node + RandomNumberGenerator.GetHexString(RandomDigits, lowercase: true);

    /// <summary>Another node gave this token, and may keep its place still.</summary>
    public bool IsElsewhere(string token) => node != 0 && !token.StartsWith(_node, StringComparison.Ordinal);

    public void Open(Consumer consumer)
    {
        lock (_gate)
        {
            _places[consumer.Token!] = new Place(consumer);
        }
    }

    /// <summary>
    /// Gives up the place of a token: its consumer, and whether its connection was gone. Null where that queue has no such place.
    /// </summary>
    public Consumer? Take(string token, QueueName queue, out bool wasAbsent)
    {
        lock (_gate)
        {
            wasAbsent = false;
            if (!_places.TryGetValue(token, out var place) || place.Consumer.Queue != queue)
            {
                return null;
            }

            wasAbsent = place.Timer is not null;
            RemoveLocked(token, place);
            return place.Consumer;
        }
    }

    /// <summary>A consumer's connection is gone: keeps its place for its grace time. False where it has none.</summary>
    /// <param name="consumer">The consumer whose connection is gone.</param>
    /// <param name="onOver">Called when the time is over and no consumer has taken up the place.</param>
    public bool TryHold(Consumer consumer, Action<Consumer> onOver)
    {
        lock (_gate)
        {
            if (consumer.Token is not { } token || !_places.TryGetValue(token, out var place) || place.Consumer != consumer)
            {
                return false;
            }

            place.Timer ??= time.CreateTimer(
                _ =>
                {
                    if (Forget(consumer))
                    {
                        _ = faults.Try(consumer.Queue, consumer, onOver);
                    }
                },
                null,
                consumer.Options.Grace,
                Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    /// <summary>False where the place is not (or no longer) its own.</summary>
    public bool Forget(Consumer consumer)
    {
        lock (_gate)
        {
            if (consumer.Token is not { } token || !_places.TryGetValue(token, out var place) || place.Consumer != consumer)
            {
                return false;
            }

            RemoveLocked(token, place);
            return true;
        }
    }

    /// <summary>Those whose connections are gone, at one moment.</summary>
    public Consumer[] Absent()
    {
        lock (_gate)
        {
            return [.. _places.Values.Where(place => place.Timer is not null).Select(place => place.Consumer)];
        }
    }

    private void RemoveLocked(string token, Place place)
    {
        place.Timer?.Dispose();
        _places.Remove(token);
    }

    private sealed class Place(Consumer consumer)
    {
        public Consumer Consumer { get; } = consumer;

        /// <summary>Set while the connection is gone.</summary>
        public ITimer? Timer { get; set; }
    }
}
