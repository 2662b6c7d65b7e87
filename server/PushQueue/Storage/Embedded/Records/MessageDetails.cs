using PushQueue.Queues;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>The properties that few messages have.</summary>
internal sealed class MessageDetails
{
    public string? UniqueKey { get; set; }

    public int? MaxAttempts { get; set; }

    public RetryDelay? RetryDelay { get; set; }

    public string? LastError { get; set; }

    public string? LastWorker { get; set; }

    public DeadLetter? DeadLetter { get; set; }

    public string? TraceParent { get; set; }

    public int Looks { get; set; }

    /// <summary>Until when the id stays known; 0 where it does not.</summary>
    public long KnownUntilMs { get; set; }
}
