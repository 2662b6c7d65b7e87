namespace PushQueue.Transports.Streaming;

/// <summary>Nobody reads any more. Only between a connection and its outbound buffer.</summary>
internal sealed class ConnectionGoneException() : IOException("The client has gone.");
