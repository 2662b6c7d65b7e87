namespace PushQueue.EntityFrameworkCore;

/// <summary>The contents of an outbox.</summary>
/// <param name="Waiting">Messages that are to be put.</param>
/// <param name="OldestAge">The age of the oldest of them; zero where none waits.</param>
/// <param name="SetAside">Messages that the server refused for good.</param>
public sealed record OutboxState(long Waiting, TimeSpan OldestAge, long SetAside);
