namespace PushQueue.Delivery;

/// <summary>Is told once what became of a page that was handed to an <see cref="OutboundBuffer"/>.</summary>
internal interface IWriteObserver
{
    void OnWritten();

    /// <summary>The connection ended before the page was written.</summary>
    void OnNotWritten();
}
