using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace PushQueue.ClientTests.Support;

/// <summary>Records the log of the client.</summary>
internal sealed class RecordingLog : ILoggerProvider
{
    public ConcurrentQueue<LogLine> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, Lines);

    public void Dispose()
    {
        // Nothing is open.
    }

    private sealed class Logger(string category, ConcurrentQueue<LogLine> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => category.StartsWith("PushQueue", StringComparison.Ordinal);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                lines.Enqueue(new LogLine(logLevel, formatter(state, exception), exception));
            }
        }
    }
}

/// <summary>A line of a log.</summary>
internal sealed record LogLine(LogLevel Level, string Text, Exception? Exception);
