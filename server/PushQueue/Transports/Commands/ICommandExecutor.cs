using PushQueue.Security;

namespace PushQueue.Transports.Commands;

/// <summary>
/// Executes one command of the JSON protocol, whichever way it came: <c>POST /queue</c>, a WebSocket frame, a hub method. Commands that
/// make sense only on a connection (<c>subscribe</c>, <c>unsubscribe</c>) never come here.
/// </summary>
internal interface ICommandExecutor
{
    /// <param name="jsonFrame">UTF-8 JSON; may be broken, which gets an error answer. Valid only until this completes.</param>
    /// <param name="caller">Who sends it; a command that he may not give gets an error answer.</param>
    /// <param name="cancellationToken">Cancelled when the client is gone; ends waits only, never a change half made.</param>
    /// <returns>The answer, one JSON object on one line.</returns>
    ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(ReadOnlyMemory<byte> jsonFrame, Caller caller, CancellationToken cancellationToken);
}
