using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.SignalR;

/// <summary>A connected client of the hub.</summary>
/// <param name="Buffer">What is pushed to it goes in here.</param>
/// <param name="Envelopes">The form of its messages.</param>
/// <param name="Raw">The form of messages of which it wants the body alone.</param>
/// <param name="EndsItself">Whether the buffer lives on for its last words when the hub is through with the client.</param>
internal sealed record HubClient(OutboundBuffer Buffer, MessageFormat Envelopes, MessageFormat Raw, bool EndsItself);
