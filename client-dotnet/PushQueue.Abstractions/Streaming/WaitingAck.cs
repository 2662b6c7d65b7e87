namespace PushQueue.Client.Streaming;

/// <summary>An ack that is to be sent.</summary>
/// <param name="Message">The message.</param>
/// <param name="Observer">Learns how it ends.</param>
internal readonly record struct WaitingAck(Message Message, IAckObserver Observer);
