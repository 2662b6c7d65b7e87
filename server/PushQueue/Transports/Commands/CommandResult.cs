namespace PushQueue.Transports.Commands;

/// <summary>An answer of the JSON protocol, and the problem that it reports; HTTP has a status for it, and the hub an exception.</summary>
internal readonly record struct CommandResult(ReadOnlyMemory<byte> Json, Problem? Problem)
{
    public static implicit operator CommandResult(byte[] json) => new(json, null);
}
