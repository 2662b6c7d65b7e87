using System.Globalization;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The live messages of a queue by number, by the client's id, by unique key and by the end of their time to live, and what they hold
/// together. Guarded by the queue's lock.
/// </summary>
internal sealed class MessageIndex(StoreServices services, QueueKeys keys)
{
    private readonly SortedSet<StoredMessage> _expiring = new(ExpiryOrder.Instance);
    private Dictionary<long, StoredMessage> _bySequence = [];
    private Dictionary<string, StoredMessage> _byClientId = new(StringComparer.Ordinal);
    private Dictionary<string, StoredMessage> _byUniqueKey = new(StringComparer.Ordinal);

    public IReadOnlyCollection<StoredMessage> All => _bySequence.Values;

    /// <summary>Bytes of the bodies.</summary>
    public long Bytes { get; private set; }

    /// <summary>The number of the next message, unless it is a client's id.</summary>
    public long NextSequence { get; private set; } = 1;

    /// <summary>When the next time to live ends; <see cref="long.MaxValue"/> without one.</summary>
    public long NextExpiryMs => _expiring.Count > 0 ? _expiring.Min!.ExpiresAtMs : long.MaxValue;

    public StoredMessage? Find(MessageId id)
    {
        if (id.IsNumber && _bySequence.TryGetValue(id.Number, out var numbered) && numbered.ClientId is null)
        {
            return numbered;
        }

        return _byClientId.Count == 0 ? null : _byClientId.GetValueOrDefault(id.ToString());
    }

    /// <summary>The message with that number, whatever its id.</summary>
    public StoredMessage? Find(long sequence) => _bySequence.GetValueOrDefault(sequence);

    /// <summary>The numbers of live messages between two others, in no order.</summary>
    public IEnumerable<long> Between(long after, long before) =>
        _bySequence.Keys.Where(sequence => sequence > after && sequence < before);

    /// <summary>The message with that id, unless its put is still on its way to the disk.</summary>
    public StoredMessage? FindVisible(MessageId id) => Find(id) is { Place: not MessagePlace.Pending } message ? message : null;

    public bool HasUniqueKey(string key) => _byUniqueKey.ContainsKey(key);

    public void Add(StoredMessage message)
    {
        _bySequence.Add(message.Sequence, message);
        keys.Enter(message);
        if (message.ClientId is not null)
        {
            _byClientId[message.ClientId] = message;
        }

        if (message.Details?.UniqueKey is { } key)
        {
            _byUniqueKey[key] = message;
        }

        NextSequence = Math.Max(NextSequence, message.Sequence + 1);
        Bytes += message.BodyLength;
        services.CountLive(1, message.BodyLength);
    }

    /// <summary>Does nothing for a message of a queue that was deleted meanwhile.</summary>
    public void Remove(StoredMessage message)
    {
        if (!_bySequence.Remove(message.Sequence))
        {
            return;
        }

        keys.Leave(message);
        if (message.ClientId is not null)
        {
            _byClientId.Remove(message.ClientId);
        }

        if (message.Details?.UniqueKey is { } key)
        {
            _byUniqueKey.Remove(key);
        }

        if (message.ExpiresAtMs > 0)
        {
            _expiring.Remove(message);
        }

        Bytes -= message.BodyLength;
        services.CountLive(-1, -message.BodyLength);
    }

    /// <summary>The message expires at its time, unless it is leased by then.</summary>
    public void AddExpiry(StoredMessage message) => _expiring.Add(message);

    /// <summary>Takes out the first message whose time to live has ended.</summary>
    public StoredMessage? TakeExpired(long nowMs)
    {
        if (NextExpiryMs > nowMs)
        {
            return null;
        }

        var message = _expiring.Min!;
        _expiring.Remove(message);
        return message;
    }

    /// <summary>
    /// Makes the message available at another time, from which its time to live counts. The caller adds the expiry again.
    /// </summary>
    public void MoveTo(StoredMessage message, long availableAtMs)
    {
        if (message.ExpiresAtMs > 0)
        {
            _expiring.Remove(message);
        }

        message.MoveTo(availableAtMs);
    }

    /// <summary>The number for a new message; a message without an id of the client's gets one that is not known as anyone's id.</summary>
    public long TakeSequence(string? clientId, KnownIds knownIds)
    {
        while (clientId is null && (_byClientId.Count > 0 || knownIds.Count > 0))
        {
            var text = NextSequence.ToString(CultureInfo.InvariantCulture);
            if (!_byClientId.ContainsKey(text) && !knownIds.Contains(text))
            {
                break;
            }

            NextSequence++;
        }

        return NextSequence++;
    }

    /// <summary>
    /// Numbers from that one on were given to messages of a batch that was refused in the same step: nobody has seen them.
    /// </summary>
    public void TakeBackSequences(long nextSequence) => NextSequence = nextSequence;

    /// <summary>Begins with what an earlier run has left.</summary>
    /// <param name="nextSequence">Numbers below this one have been given.</param>
    /// <param name="count">How many messages come.</param>
    public void Restore(long nextSequence, int count)
    {
        NextSequence = nextSequence;
        _bySequence.EnsureCapacity(count);
    }

    public void Clear()
    {
        services.CountLive(-_bySequence.Count, -Bytes);
        _bySequence = [];
        _byClientId = new Dictionary<string, StoredMessage>(StringComparer.Ordinal);
        _byUniqueKey = new Dictionary<string, StoredMessage>(StringComparer.Ordinal);
        _expiring.Clear();
        Bytes = 0;
    }
}
