namespace PushQueue.Client.Streaming;

/// <summary>One way to have a queue pushed.</summary>
internal interface IStreamTransport
{
    /// <summary>Connects and hands on what comes, until the connection ends. Never returns before; throws <see cref="StreamEnd"/> or
    /// <see cref="PushQueueException"/>, or <see cref="OperationCanceledException"/> when the program wants the end. A transport that can
    /// tells the server so, and what was started (<see cref="StreamSession.Started"/>), and reports it by
    /// <see cref="StreamSession.OnLeft"/>.</summary>
    Task RunAsync(StreamSession session, CancellationToken cancellationToken);
}
