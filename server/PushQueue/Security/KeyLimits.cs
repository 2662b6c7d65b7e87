namespace PushQueue.Security;

/// <summary>How much one key may do; null for no limit.</summary>
/// <param name="MessagesPerSecond">Requests and commands; a batch counts as many as it holds.</param>
/// <param name="BytesPerSecond">Incoming bytes: bodies of requests, and commands.</param>
/// <param name="Connections">Streams and sockets at once.</param>
internal sealed record KeyLimits(double? MessagesPerSecond = null, double? BytesPerSecond = null, int? Connections = null);
