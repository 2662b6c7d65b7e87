using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports.SignalR;

/// <summary>The forms of what is pushed to a client of the hub: one set for each protocol and each way to the client.</summary>
/// <param name="Records">The protocol's own records.</param>
/// <param name="Envelopes">Of messages.</param>
/// <param name="Raw">Of messages of which the client wants the body alone.</param>
/// <param name="Items">Of the items of a streaming call.</param>
/// <param name="ManyItems">Of the items of a streaming call over many queues.</param>
internal sealed record HubForms(
    HubRecords Records, MessageFormat Envelopes, MessageFormat Raw, MessageFormat Items, MessageFormat ManyItems)
{
    private static readonly HubForms Json = new(
        HubFormat.Envelopes, HubFormat.Envelopes, HubFormat.Raw, LineFormat.Envelopes, ManyFormat.Lines);

    private static readonly HubForms JsonFrames = new(
        HubFormat.Envelopes, HubFrameFormat.Envelopes, HubFrameFormat.Raw, LineFormat.Envelopes, ManyFormat.Lines);

    private static readonly HubForms Packed = new(
        PackedHubFormat.Envelopes,
        PackedHubFormat.Envelopes,
        PackedHubFormat.Raw,
        PackedItemFormat.Envelopes,
        PackedItemFormat.Many);

    private static readonly HubForms PackedFrames = new(
        PackedHubFormat.Envelopes,
        HubFrameFormat.PackedEnvelopes,
        HubFrameFormat.PackedRaw,
        PackedItemFormat.Envelopes,
        PackedItemFormat.Many);

    /// <summary>Of messages of a subscription to many queues.</summary>
    public MessageFormat Many { get; } = ManyFormat.Of(Envelopes);

    /// <summary>The same, of which the client wants the body alone.</summary>
    public MessageFormat ManyRaw { get; } = ManyFormat.Of(Raw);

    /// <summary>The forms for a client.</summary>
    /// <param name="packed">Whether it speaks MessagePack.</param>
    /// <param name="frames">Whether pages go to its WebSocket past SignalR.</param>
    public static HubForms Of(bool packed, bool frames) => packed ? (frames ? PackedFrames : Packed) : frames ? JsonFrames : Json;
}
