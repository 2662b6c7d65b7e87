using PushQueue.Security;
using PushQueue.Transports.Commands;

namespace PushQueue.Transports.Streaming;

/// <summary>Error answers to frames of a WebSocket that hold no command.</summary>
internal static class CommandErrors
{
    public static readonly ReadOnlyMemory<byte> BinaryFrame = CommandAnswer.Error(
        CommandFrame.Read(default, Caller.Nobody), Problem.BadJson("Send commands as JSON in text frames, not as binary ones.")).Json;
}
