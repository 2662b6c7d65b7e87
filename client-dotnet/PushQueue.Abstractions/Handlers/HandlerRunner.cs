using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace PushQueue.Client.Handlers;

/// <summary>
/// Consumes one queue with manual ack and has its messages handled: as many loops as messages may be handled at once, each of which takes
/// the next message when it has ended the one before.
/// </summary>
internal sealed class HandlerRunner
{
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    private readonly IPushQueueClient _client;
    private readonly string _queue;
    private readonly HandlerOptions _options;
    private readonly HandlerPipeline _pipeline;
    private readonly IServiceScopeFactory? _scopes;
    private readonly TimeProvider _time;
    private readonly string _name;

    public HandlerRunner(
        IPushQueueClient client, string queue, HandlerOptions options, HandlerPipeline pipeline, IServiceScopeFactory? scopes)
    {
        _client = client;
        _queue = queue;
        _options = options;
        _pipeline = pipeline;
        _scopes = scopes;
        _time = options.TimeProvider ?? TimeProvider.System;
        _name = options.Name ?? $"{Environment.MachineName}-{Environment.ProcessId}";
        Logger = options.LoggerFactory?.CreateLogger("PushQueue.Handlers") ?? NullLogger.Instance;
    }

    public ILogger Logger { get; }

    public TimeProvider Time => _time;

    public string Queue => _queue;

    /// <summary>Handles messages until it is to stop, and returns when what has begun is done.</summary>
    /// <param name="stopping">Nothing is begun any more.</param>
    /// <param name="stopNow">Work that has begun is cancelled.</param>
    /// <exception cref="PushQueueException">The server refuses it; or the queue broadcasts, so that there is nothing to ack
    /// (<see cref="ProblemTypes.NotRoundRobin"/>); or the queue was deleted (<see cref="ProblemTypes.QueueDeleted"/>).</exception>
    public async Task RunAsync(CancellationToken stopping, CancellationToken stopNow)
    {
        using var drained = new CancellationTokenSource();
        using var isRunning = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var settler = new Settler(_queue, _options, Logger);
        var stream = _client.ConsumeAsync(_queue, ConsumeOptions(), CancellationToken.None);
        var registering = Task.CompletedTask;
        stream.Reconnecting += reconnecting => _options.Reconnecting?.Invoke(reconnecting);
        stream.Connected += () => registering = Task.WhenAll(registering, RegisterAsync(isRunning.Token));
        using var source = new MessageSource(stream.GetAsyncEnumerator(drained.Token), stopping);
        var running = new RunningAttempts(_options.Concurrency, settler, Logger);
        var heartbeat = HeartbeatAsync(running, stream, drained.Token);
        try
        {
            var loops = new Task[_options.Concurrency];
            for (var i = 0; i < loops.Length; i++)
            {
                var slot = i;
                loops[i] = Task.Run(() => LoopAsync(source, settler, running, slot), CancellationToken.None);
            }

            var all = Task.WhenAll(loops);
            await all.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await DrainAsync(all, running, stopNow).ConfigureAwait(false);
            if (!stopping.IsCancellationRequested)
            {
                throw Ended(stream.EndReason);
            }
        }
        finally
        {
            await isRunning.CancelAsync().ConfigureAwait(false);
            await settler.WhenSettled().WaitAsync(SettleTimeout, _time, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await drained.CancelAsync().ConfigureAwait(false);
            await source.EndAsync().ConfigureAwait(false);
            await heartbeat.ConfigureAwait(false);
            await registering.ConfigureAwait(false);
        }
    }

    private ConsumeOptions ConsumeOptions() => _options.Consume with
    {
        Ack = AckMode.Manual,
        Policy = "roundrobin",
        WaitForServer = true,
        Prefetch = Math.Max(_options.Prefetch ?? _options.Concurrency, _options.Concurrency),
        TimeToRun = _options.TimeToRun ?? _options.Consume.TimeToRun,
        Worker = _name,
    };

    private PushQueueException Ended(string? reason) => reason == ProblemTypes.QueueDeleted
        ? new PushQueueException(ProblemTypes.QueueDeleted, $"The queue '{_queue}' was deleted, so its worker ended.")
        : new PushQueueException(ProblemTypes.Disconnected, $"The server ended the stream of queue '{_queue}', so its worker ended.");

    private async Task LoopAsync(MessageSource source, Settler settler, RunningAttempts running, int slot)
    {
        // hot path: guarded by the bench rows handler
        try
        {
            while (await source.NextAsync().ConfigureAwait(false) is { } message)
            {
                await HandleAsync(message, settler, running, slot).ConfigureAwait(false);
            }
        }
        catch (PushQueueException e) when (e.Type == ProblemTypes.WrongPolicy)
        {
            throw MessageSource.NotRoundRobin(_queue);
        }
    }

    private async ValueTask HandleAsync(Message message, Settler settler, RunningAttempts running, int slot)
    {
        var attempt = new Attempt(message);
        running.Begin(slot, attempt);
        Exception? error = null;
        var limit = _options.Timeout is { } timeout ? Limit(attempt, running, timeout) : null;
        var context = new MessageContext(message, _pipeline.Reader, _scopes);
        try
        {
            await _pipeline.Handle(context).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = e;
        }

        try
        {
            await context.EndScopeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A service that fails in its end, such as a transaction that is committed there, has not done the work.
            error ??= e;
        }

        if (limit is not null)
        {
            await limit.DisposeAsync().ConfigureAwait(false);
        }

        running.End(slot);
        if (!attempt.TryDecide())
        {
            // It was given back because it took too long.
            return;
        }

        if (error is null)
        {
            settler.Ack(message);
        }
        else
        {
            await settler.FailAsync(message, error, running.IsInterrupted).ConfigureAwait(false);
        }
    }

    private ITimer Limit(Attempt attempt, RunningAttempts running, TimeSpan timeout) => _time.CreateTimer(
        _ => running.Expire(attempt, timeout), state: null, Clamp(timeout), Timeout.InfiniteTimeSpan);

    /// <summary>Waits for what has begun. When that takes too long, it is cancelled, and then given back whether it has ended or
    /// not.</summary>
    private async Task DrainAsync(Task all, RunningAttempts running, CancellationToken stopNow)
    {
        await all.WaitAsync(_options.DrainTimeout is { } limit ? Clamp(limit) : Timeout.InfiniteTimeSpan, _time, stopNow)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!all.IsCompleted)
        {
            HandlerLog.DrainTimedOut(Logger, _queue);
            running.Interrupt();
            await all.WaitAsync(SettleTimeout, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (!all.IsCompleted)
        {
            await running.AbandonAsync().ConfigureAwait(false);
            return;
        }

        await all.ConfigureAwait(false);
    }

    /// <summary>Extends the leases of the messages that are handled and of those that wait here for it.</summary>
    private async Task HeartbeatAsync(RunningAttempts running, MessageStream stream, CancellationToken over)
    {
        if ((_options.TimeToRun ?? _options.Consume.TimeToRun) is not { } timeToRun)
        {
            return;
        }

        try
        {
            // Two more tries fit into the lease.
            using var timer = new PeriodicTimer(Clamp(timeToRun / 3), _time);
            while (await timer.WaitForNextTickAsync(over).ConfigureAwait(false))
            {
                await Task.WhenAll(running.TouchAsync(timeToRun, over), TouchWaitingAsync(stream, timeToRun, over)).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The handler has ended.
        }
    }

    private async Task TouchWaitingAsync(MessageStream stream, TimeSpan timeToRun, CancellationToken over)
    {
        if (stream.Held?.Waiting() is not [{ Owner: IStreamLeaseOwner leases }, ..] waiting)
        {
            return;
        }

        try
        {
            await leases.TouchManyAsync(waiting, timeToRun, over).ConfigureAwait(false);
        }
        catch (PushQueueException e)
        {
            // Two more tries fit into the lease.
            HandlerLog.NotExtended(Logger, e, _queue, waiting.Length);
        }
    }

    /// <summary>So that the server lists the worker before its first message; the stream has its name, too.</summary>
    private async Task RegisterAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _client.RegisterWorkerAsync(_queue, _name, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is PushQueueException or OperationCanceledException or ObjectDisposedException)
        {
            // Refused, or the handler ends, or the client is gone.
            HandlerLog.NotRegistered(Logger, _queue, (e as PushQueueException)?.Detail ?? e.Message);
        }
    }

    private static TimeSpan Clamp(TimeSpan wait) => wait > LongestTimer ? LongestTimer : wait;
}
