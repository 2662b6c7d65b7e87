using StackExchange.Redis;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The connection to Redis through which SignalR's own backplane reaches the hub connections of all nodes. All hubs of the process share
/// it. It carries what is sent to groups, users, single connections and all connections; the messages of queues do not travel here.
/// </summary>
internal sealed class HubBackplane(ConfigurationOptions configuration) : IAsyncDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _connecting = new(1, 1);
    private ConnectionMultiplexer? _multiplexer;

    /// <summary>The connection, which may not stand yet, or not at the moment; it connects again by itself.</summary>
    public async Task<IConnectionMultiplexer> ConnectAsync()
    {
        await _connecting.WaitAsync();
        try
        {
            return _multiplexer ??= await ConnectionMultiplexer.ConnectAsync(configuration);
        }
        finally
        {
            _ = _connecting.Release();
        }
    }

    /// <summary>Runs the action once Redis is connected, and again each second while Redis is out of reach.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public async Task RunConnectedAsync(Func<Task> action, CancellationToken cancelled)
    {
        while (true)
        {
            try
            {
                if ((await ConnectAsync()).IsConnected)
                {
                    await action();
                    return;
                }
            }
            catch (Exception e) when (IsAway(e))
            {
                // The store reports in the log that Redis is out of reach.
            }

            await Task.Delay(RetryInterval, TimeProvider.System, cancelled);
        }
    }

    /// <summary>Runs the action. If Redis is out of reach, its part is lost: a subscription ends with the connection anyway.</summary>
    public static async Task RunOnceAsync(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception e) when (IsAway(e))
        {
            // The store reports it in the log.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_multiplexer is { } multiplexer)
        {
            await multiplexer.CloseAsync(allowCommandsToComplete: false);
            await multiplexer.DisposeAsync();
        }

        _connecting.Dispose();
    }

    private static bool IsAway(Exception e) => e is RedisException or TimeoutException;
}
