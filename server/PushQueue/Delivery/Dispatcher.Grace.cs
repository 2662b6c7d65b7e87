using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>Consumers that come back: what they held stays theirs for their grace time.</summary>
internal sealed partial class Dispatcher
{
    private readonly GracePeriods _graces = new(time, registry.NumberBase >> INodes.NumberBits, new FaultBorder("grace", logger, meter));

    /// <summary>
    /// Before it goes live: gives a consumer its token, and the messages that the one whose place it takes still holds, under the same
    /// receipts.
    /// </summary>
    private async ValueTask TakeUpPlaceAsync(Consumer consumer)
    {
        var resumed = consumer.Options.Token is { } token ? TakeOver(token, consumer) : null;
        if (consumer.Options.Grace > TimeSpan.Zero)
        {
            var place = consumer.Options.Token is not { } former ? null
                : resumed is not null ? "kept"
                : _graces.IsElsewhere(former) ? "elsewhere"
                : "lost";
            consumer.Token ??= _graces.NewToken();
            _graces.Open(consumer);
            consumer.Place = new ConsumerPlace(consumer.Token, resumed?.Length ?? 0, place);
            if (consumer.Buffer.Connection.Multiplexed)
            {
                // A stream of its own tells it as it opens.
                _ = consumer.Buffer.Offer(consumer.Format.EncodeOpening(consumer.Queue, new Opening(null, consumer.Place))!, consumer);
            }
        }

        var held = consumer.Dispatcher!.Held;
        var messages = new List<PushedMessage>();
        var leases = new List<HeldLease>();
        var bytes = 0;
        foreach (var lease in resumed ?? [])
        {
            var key = lease.Key;
            if (await store.FindAsync(consumer.Queue, key.Id) is { State: MessageState.Leased } message && held.Holds(consumer, key))
            {
                messages.Add(new PushedMessage(message, BodyKinds.Of(message), string.Empty, key.Receipt, store.Now));
                leases.Add(lease);
                bytes += message.Body.Length;
            }
            else
            {
                held.Settle(key.Id, key.Receipt, HeldEnd.Cancelled);
            }

            if (bytes >= RoundLimits.BytesMax)
            {
                Redeliver(consumer, messages, leases);
                bytes = 0;
            }
        }

        Redeliver(consumer, messages, leases);
    }

    /// <summary>
    /// A consumer leaves for good, by a request of its own while its stream stands or after that is gone. Its stream ends, and all that it
    /// held goes back; work that it started counts as a failed attempt. False where no consumer of this node has the token.
    /// </summary>
    public bool LeavePlace(QueueName queue, string token, IReadOnlyList<LeaseKey> started)
    {
        if (_graces.Take(token, queue, out var wasAbsent) is not { } consumer)
        {
            return false;
        }

        var wasLive = Leave(consumer);
        if (!wasLive && !wasAbsent)
        {
            return false;
        }

        GiveBackAll(consumer, started);
        consumer.Dispatcher!.Exit();
        if (wasLive)
        {
            EndSubscription(consumer, CloseReason.Normal);
        }

        return true;
    }

    private static void Redeliver(Consumer consumer, List<PushedMessage> messages, List<HeldLease> leases)
    {
        if (messages.Count > 0)
        {
            var page = consumer.Format.Encode(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(messages));
            _ = consumer.Buffer.Offer(page, consumer, new HeldPage([.. leases]));
            messages.Clear();
            leases.Clear();
        }
    }

    /// <summary>Null if no consumer of this node has that place.</summary>
    private HeldLease[]? TakeOver(string token, Consumer consumer)
    {
        if (_graces.Take(token, consumer.Queue, out var wasAbsent) is not { } old)
        {
            return null;
        }

        // The old connection may be dead without a sign of it, and must get nothing more.
        var wasLive = Leave(old);
        if (!wasAbsent && !wasLive)
        {
            return null;
        }

        consumer.Token = consumer.Options.Grace > TimeSpan.Zero ? token : null;

        var keys = old.Dispatcher!.Held.Move(old, consumer, consumer.Dispatcher!.Held);
        old.Dispatcher.Exit();
        if (wasLive && !wasAbsent)
        {
            EndSubscription(old, CloseReason.Replaced);
        }

        return keys;
    }

    /// <summary>No consumer took up the place in time.</summary>
    private void EndGrace(Consumer consumer)
    {
        _ = Leave(consumer);
        consumer.Dispatcher!.Exit();
        GiveBackAll(consumer);
    }
}
