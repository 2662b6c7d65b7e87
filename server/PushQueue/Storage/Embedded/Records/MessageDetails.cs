using PushQueue.Queues;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>The properties that few messages have.</summary>
internal sealed class MessageDetails : MessageTags
{
    // Zero for none: an int? takes twice the room.
    private int _maxAttempts;

    public string? UniqueKey { get; set; }

    public int? MaxAttempts
    {
        get => _maxAttempts == 0 ? null : _maxAttempts;
        set => _maxAttempts = value ?? 0;
    }

    public RetryDelay? RetryDelay { get; set; }

    public string? LastError { get; set; }

    public string? LastWorker { get; set; }

    public DeadLetter? DeadLetter { get; set; }

    public string? TraceParent { get; set; }

    public int Looks { get; set; }

    /// <summary>Until when the id stays known; 0 where it does not.</summary>
    public long KnownUntilMs { get; set; }

    /// <summary>
    /// The place in its key of a message that was given back with a delay (<see cref="KeyedMessage.PlaceMs"/>); 0 for the time from which
    /// it is available.
    /// </summary>
    public long PlaceMs { get; set; }
}
