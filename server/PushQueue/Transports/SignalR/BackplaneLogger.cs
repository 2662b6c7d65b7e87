using Microsoft.AspNetCore.SignalR.StackExchangeRedis;
using Microsoft.Extensions.Logging;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The log of the hub's backplane without its entries about the connection: the store reports, once, that Redis is out of reach and that it
/// is back.
/// </summary>
internal sealed class BackplaneLogger(ILogger<BackplaneLogger> log) : ILogger<RedisHubLifetimeManager<PushHub>>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => log.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name is not ("ConnectionFailed" or "ConnectionRestored" or "NotConnected" or "Connected" or "ConnectingToEndpoints"))
        {
            log.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
