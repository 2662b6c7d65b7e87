namespace PushQueue.Transports.SignalR;

/// <summary>The pace of a stream for people who watch.</summary>
internal static class WatchTimer
{
    /// <summary>Waits for the next tick. False if the watcher has cancelled its stream.</summary>
    public static async ValueTask<bool> NextTickAsync(this PeriodicTimer timer, CancellationToken cancelled)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancelled);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
