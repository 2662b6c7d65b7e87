using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Framing;

/// <summary>The close codes of RFC 6455 section 7.4 for the reasons of this server; 4000 and up are its own.</summary>
internal static class WebSocketCloseCodes
{
    private static readonly Dictionary<string, ushort> Codes = new(StringComparer.Ordinal)
    {
        [CloseReason.Normal.Name] = 1000,
        [CloseReason.ProtocolError.Name] = 1002,
        [CloseReason.BadUtf8.Name] = 1007,
        [CloseReason.FrameTooLarge.Name] = 1009,
        [CloseReason.ServerError.Name] = 1011,
        [CloseReason.ServerShutdown.Name] = 1012,
        [CloseReason.SlowConsumer.Name] = 4001,
        [CloseReason.Stalled.Name] = 4002,
        [CloseReason.NoAnswer.Name] = 4003,
        [CloseReason.QueueDeleted.Name] = 4004,
        [CloseReason.Replaced.Name] = 4005,
        [CloseReason.Disconnected.Name] = 4006,
        [CloseReason.AccessEnded.Name] = 4007,
    };

    public static ushort Of(CloseReason reason) => Codes[reason.Name];

    /// <summary>
    /// The code for a connection whose client has got the reason by other means: 1000, unless the client broke the protocol.
    /// </summary>
    public static ushort AfterReason(CloseReason reason) => Of(reason) is 1002 or 1007 or 1009 ? Of(reason) : Of(CloseReason.Normal);
}
