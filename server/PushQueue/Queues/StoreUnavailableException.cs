namespace PushQueue.Queues;

/// <summary>The store is out of reach for the moment. The message is one sentence for the operator, and may name addresses.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The store serves other queues: what it keeps of this one cannot be used.</summary>
    public bool IsOfOneQueue { get; init; }

    /// <summary>Whether clients may be shown the message; else they learn that the store cannot serve, and no more.</summary>
    public bool IsForClients { get; init; }
}
