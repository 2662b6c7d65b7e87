namespace PushQueue.Transports.Watching;

/// <summary>
/// Short notices between nodes. A notice that is sent while Redis or a subscription is away is lost, so a listener checks from time to time
/// what it concluded from notices.
/// </summary>
internal interface INotices
{
    /// <summary>Sends a notice to the listeners of the topic, at this node and at the others. Never waits and never throws.</summary>
    void Send(string topic, byte[] notice);

    /// <summary>Calls the handler with each notice of the topic until the result is disposed. The handler must return at once.</summary>
    ValueTask<IAsyncDisposable> ListenAsync(string topic, Action<ReadOnlyMemory<byte>> handler);
}
