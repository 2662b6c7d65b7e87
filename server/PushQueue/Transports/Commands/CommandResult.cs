namespace PushQueue.Transports.Commands;

/// <summary>An answer of the JSON protocol, and what kind of problem it tells; HTTP has a status to say it with.</summary>
internal readonly record struct CommandResult(ReadOnlyMemory<byte> Json, ProblemType? Problem)
{
    public static implicit operator CommandResult(byte[] json) => new(json, null);
}
