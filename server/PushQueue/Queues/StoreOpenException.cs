namespace PushQueue.Queues;

/// <summary>The store cannot be opened. The message is one sentence for the operator.</summary>
internal sealed class StoreOpenException(string message, Exception? inner = null) : Exception(message, inner);
