using System.Runtime.InteropServices;
using PushQueue.Delivery;

namespace PushQueue.Server;

/// <summary>
/// Acts on signals. SIGTERM, which service managers send, drains the node first; a second one stops it at once. SIGINT and SIGQUIT stop it
/// at once: a person waits for it. SIGHUP does so where a terminal goes away. Without a terminal it asks a service to read its files
/// again; those are read whenever they change, so the server just continues.
/// </summary>
internal sealed partial class ServerLifetime(
    IHostApplicationLifetime lifetime, NodeDrain drain, ServerOptions options, ILogger<ServerLifetime> logger) : IHostLifetime, IDisposable
{
    private readonly CancellationTokenSource _stopNow = new();
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _drains;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        Handle(PosixSignal.SIGTERM, Leave);
        Handle(PosixSignal.SIGINT, Stop);
        Handle(PosixSignal.SIGQUIT, Stop);
        Handle(PosixSignal.SIGHUP, HangUp);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _signals.ForEach(static signal => signal.Dispose());
        _stopNow.Dispose();
    }

    private void Handle(PosixSignal signal, Action act) => _signals.Add(PosixSignalRegistration.Create(signal, context =>
    {
        // The process ends when the host has stopped, and not by the signal.
        context.Cancel = true;
        act();
    }));

    private void Leave()
    {
        if (options.Drain == TimeSpan.Zero
            || !lifetime.ApplicationStarted.IsCancellationRequested || Interlocked.Increment(ref _drains) > 1)
        {
            Stop();
            return;
        }

        _ = LeaveAsync();
    }

    private async Task LeaveAsync()
    {
        try
        {
            await drain.RunAsync(options.Drain, _stopNow.Token);
        }
        catch (Exception e)
        {
            // A border: the server must stop whatever becomes of its drain.
            Log.DrainFailed(logger, e);
        }

        lifetime.StopApplication();
    }

    private void Stop()
    {
        _stopNow.Cancel();
        lifetime.StopApplication();
    }

    private void HangUp()
    {
        if (!Console.IsInputRedirected)
        {
            Stop();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(902, LogLevel.Error, "The drain failed; the server stops now")]
        public static partial void DrainFailed(ILogger logger, Exception exception);
    }
}
