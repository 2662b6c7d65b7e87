namespace PushQueue.Client;

/// <summary>Learns how acks end, without a task for each of them.</summary>
internal interface IAckObserver
{
    /// <summary>The server has answered. Called once, from any thread; must return at once.</summary>
    /// <param name="message">The message.</param>
    /// <param name="done">False where its lease was lost.</param>
    void OnAcked(Message message, bool done);

    /// <summary>The server did not answer, or refused. Called instead of <see cref="OnAcked"/>.</summary>
    void OnNotAcked(Message message, Exception error);
}
