namespace PushQueue.Delivery;

/// <summary>Is notified once whether a page was written that was offered to an <see cref="OutboundBuffer"/>.</summary>
internal interface IWriteObserver
{
    void OnWritten();

    /// <summary>The connection ended before the page was written.</summary>
    void OnNotWritten();
}
