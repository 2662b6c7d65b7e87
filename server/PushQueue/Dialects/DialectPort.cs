namespace PushQueue.Dialects;

/// <summary>Marks a connection that came in at a dialect's own port.</summary>
internal sealed record DialectPort(string Name);
