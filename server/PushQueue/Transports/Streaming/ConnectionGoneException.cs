namespace PushQueue.Transports.Streaming;

/// <summary>The client has gone. Used only between a connection and its outbound buffer.</summary>
internal sealed class ConnectionGoneException() : IOException("The client has gone.");
