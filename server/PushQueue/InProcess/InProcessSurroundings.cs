using Microsoft.Extensions.Logging;

namespace PushQueue.InProcess;

/// <summary>The clock and the loggers that clients of this process get from the application.</summary>
internal sealed class InProcessSurroundings(TimeProvider time, ILoggerFactory loggers)
{
    public TimeProvider Time => time;

    public ILoggerFactory Loggers => loggers;

    /// <summary>Under the name that the client over HTTP has.</summary>
    public ILogger Logger { get; } = loggers.CreateLogger("PushQueue.Client");
}
