namespace PushQueue.Transports.Commands;

/// <summary>
/// Executes one command of the JSON protocol, whichever way it came: <c>POST /queue</c>, a WebSocket frame, a hub method. Commands that
/// make sense only on a connection (<c>subscribe</c>, <c>unsubscribe</c>) never come here.
/// </summary>
internal interface ICommandExecutor
{
    /// <param name="frame">The command; a broken one gets an error answer, and so does one that its caller may not give.</param>
    /// <param name="cancellationToken">Cancelled when the client is gone; ends waits only, never a change half made.</param>
    /// <returns>The answer, one JSON object on one line.</returns>
    ValueTask<CommandResult> ExecuteAsync(CommandFrame frame, CancellationToken cancellationToken);
}
