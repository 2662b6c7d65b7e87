using Microsoft.Extensions.Logging;

namespace PushQueue.Delivery;

/// <summary>
/// Takes a node out of service before it stops. The node reports that it is not ready, and continues to serve until load balancers have
/// noticed. Meanwhile it moves its streams to other nodes in slices. A host calls this before it stops. Otherwise a stop closes all streams
/// at once and refuses new requests.
/// </summary>
public sealed class NodeDrain
{
    // Balancers ask for readiness every second or two and want two or three answers; the rest is for the streams, and at the end for what
    // is under way.
    private const double NoticeShare = 0.4;
    private const double LeaveShare = 0.4;

    private readonly Dispatcher _dispatcher;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeDrain> _logger;
    private volatile bool _hasBegun;

    internal NodeDrain(Dispatcher dispatcher, TimeProvider time, ILogger<NodeDrain> logger)
    {
        _dispatcher = dispatcher;
        _time = time;
        _logger = logger;
    }

    /// <summary>
    /// Whether the node is leaving; <c>/readyz</c> then answers 503, and each answer closes its connection, so that a balancer keeps none.
    /// </summary>
    public bool HasBegun => _hasBegun;

    /// <summary>Completes when the node may stop.</summary>
    /// <param name="duration">How long the node continues to serve; zero or less returns at once.</param>
    /// <param name="stopNow">Ends the wait early; not an error.</param>
    public async Task RunAsync(TimeSpan duration, CancellationToken stopNow)
    {
        if (duration <= TimeSpan.Zero)
        {
            return;
        }

        _hasBegun = true;
        Log.Leaving(_logger, duration);
        try
        {
            await Task.Delay(duration * NoticeShare, _time, stopNow);
            await _dispatcher.LeaveAsync(duration * LeaveShare, stopNow);
            await Task.Delay(duration * (1 - NoticeShare - LeaveShare), _time, stopNow);
        }
        catch (OperationCanceledException) when (stopNow.IsCancellationRequested)
        {
            // The operator does not want to wait.
        }
    }
}
