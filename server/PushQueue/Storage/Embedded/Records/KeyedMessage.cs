using System.Diagnostics.CodeAnalysis;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// A message with a key: 32 bytes more than another. While it is ready it stands in the line of its key, too. Guarded by its queue's lock.
/// </summary>
internal sealed class KeyedMessage : StoredMessage
{
    [SetsRequiredMembers]
    public KeyedMessage(StoredMessage message, MessageKey messageKey)
        : base(message)
    {
        MessageKey = messageKey;
    }

    /// <summary>The key, shared by the live messages of the queue that have it.</summary>
    public MessageKey MessageKey { get; set; }

    public override string Key => MessageKey.Name;

    /// <summary>The message before it in the line of its key.</summary>
    public KeyedMessage? Previous { get; set; }

    /// <summary>The message behind it in the line of its key.</summary>
    public KeyedMessage? Next { get; set; }

    /// <summary>
    /// Its number in the ring of ready messages, so that it can leave from anywhere; valid while it is <see cref="IsInRing"/>.
    /// </summary>
    public int RingAt { get; set; }

    public bool IsInRing { get; set; }

    /// <summary>Whether it stands in the tree of its key instead of the line.</summary>
    public bool IsBetween { get; set; }

    /// <summary>
    /// Orders the messages of one key: when the message was put, or fell due for the first time. Returning with a delay does not change it.
    /// </summary>
    public long PlaceMs => Details is { PlaceMs: > 0 } details ? details.PlaceMs : AvailableAtMs;

    /// <summary>Whether it has been given back with a delay: while it waits for that, so does its key.</summary>
    public bool KeepsPlace => Details is { PlaceMs: > 0 };

    /// <summary>From now on another time of availability leaves its place in its key.</summary>
    public void KeepPlace() => EnsureDetails().PlaceMs = PlaceMs;

    public void EnterRing(int at)
    {
        RingAt = at;
        IsInRing = true;
    }

    public override StoredMessage Copy() => new KeyedMessage(this, MessageKey);
}
