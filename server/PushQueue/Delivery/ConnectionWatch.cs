using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// One loop for all connections, once a second: moves the coarse clock, cuts connections that take nothing, beats on idle ones, ends those
/// whose key is gone. A timer per connection would cost each idle subscriber memory for the same.
/// </summary>
internal sealed class ConnectionWatch(
    ConsumerRegistry registry,
    Dispatcher dispatcher,
    CoarseClock clock,
    TimeProvider time,
    ILogger<ConnectionWatch> logger,
    MessageMeter meter)
{
    private readonly FaultBorder _faults = new("connection-watch", logger, meter);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        var started = time.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                clock.Seconds = (int)time.GetElapsedTime(started).TotalSeconds;
                WatchAll();
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private void WatchAll()
    {
        foreach (var buffer in registry.Buffers)
        {
            try
            {
                if (buffer.Watch(clock.Seconds, out var reason))
                {
                    var connection = buffer.Connection;
                    Log.ConnectionCut(logger, connection.Transport, connection.RemoteAddress, reason!.Name, buffer.WaitingBytes);
                }
                else
                {
                    dispatcher.EndWhatIsForbidden(buffer);
                    buffer.Connection.OnTick();
                }
            }
            catch (Exception e)
            {
                // One connection's failure must not stop the watch over all others.
                _faults.Report(e);
            }
        }
    }
}
