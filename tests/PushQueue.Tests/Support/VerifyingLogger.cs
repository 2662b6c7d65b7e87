using Microsoft.Extensions.Logging;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>Keeps what is logged and fails the test where an Error or worse was not expected.</summary>
internal sealed class VerifyingLogger : ILoggerFactory
{
    private readonly Lock _lock = new();
    private readonly List<LogEntry> _entries = [];
    private readonly List<string> _expected = [];

    public IReadOnlyList<LogEntry> Entries
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries];
            }
        }
    }

    /// <summary>An error whose text contains this does not fail the test.</summary>
    public void ExpectError(string text)
    {
        lock (_lock)
        {
            _expected.Add(text);
        }
    }

    /// <summary>Called at a test's end.</summary>
    public void Verify()
    {
        lock (_lock)
        {
            var unexpected = _entries.Where(entry =>
                entry.Level >= LogLevel.Error && !_expected.Exists(text => entry.Text.Contains(text, StringComparison.OrdinalIgnoreCase)));
            Assert.Empty(unexpected);
        }
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("A test's log goes nowhere else.");

    public void Dispose()
    {
        // Nothing is held. The test calls Verify.
    }

    private void Add(LogEntry entry)
    {
        lock (_lock)
        {
            _entries.Add(entry);
        }
    }

    private sealed class Logger(VerifyingLogger owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Debug;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                owner.Add(new LogEntry(logLevel, category, formatter(state, exception), exception));
            }
        }
    }
}

internal sealed record LogEntry(LogLevel Level, string Category, string Text, Exception? Exception);
