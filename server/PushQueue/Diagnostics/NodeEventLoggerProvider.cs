using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;

namespace PushQueue.Diagnostics;

/// <summary>Notes warnings and errors of the log among the node's events.</summary>
internal sealed class NodeEventLoggerProvider(NodeEvents events) : ILoggerProvider
{
    private const int TextMax = 500;

    public ILogger CreateLogger(string categoryName) => new EventLogger(events);

    public void Dispose()
    {
    }

    private sealed class EventLogger(NodeEvents events) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and < LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // SignalR logs as an error what a hub method tells its caller to have done wrong.
            if (!IsEnabled(logLevel) || exception is HubException)
            {
                return;
            }

            var text = exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception.Message}";
            events.Add(logLevel == LogLevel.Warning ? NodeEventLevel.Warning : NodeEventLevel.Error, "log", text.Length > TextMax
                ? text[..TextMax]
                : text);
        }
    }
}
