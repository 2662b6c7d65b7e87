using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.SignalR;

/// <summary>The records of one of SignalR's protocols.</summary>
internal abstract class HubRecords : MessageFormat
{
    /// <summary>The protocol's name in SignalR's handshake.</summary>
    public abstract string Protocol { get; }

    /// <summary>The first byte of a WebSocket frame with such records.</summary>
    public abstract byte FrameKind { get; }

    /// <summary>SignalR's close message: why the connection ends, and whether its client may connect again.</summary>
    public abstract void WriteCloseMessage(PageWriter writer, CloseReason reason);

    public override EncodedPage Finish(PageWriter writer, long firstOffset, long lastOffset) =>
        new HubPage(Protocol, writer.ToArray(), firstOffset, lastOffset);
}
