namespace PushQueue.Queues;

/// <summary>The store is out of reach for the moment. The message is one sentence for clients, without addresses.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The store serves other queues: what it keeps of this one cannot be used.</summary>
    public bool IsOfOneQueue { get; init; }
}
