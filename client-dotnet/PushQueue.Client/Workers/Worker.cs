using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Client.Wire;

namespace PushQueue.Client;

/// <summary>
/// Works on the messages of a roundrobin queue: leases them, has <see cref="HandleAsync"/> do the work, acks what returned and releases
/// what threw. Subclass it, or give <see cref="Create"/> a function. A message may come a second time, when the ack of the first could not
/// be sent.
/// </summary>
public abstract class Worker
{
    // A message that fails at once should not use up its attempts within milliseconds. Work that is cut short by the worker's end has not
    // failed by itself.
    private const string Backoff = "exponential:1s..1m";

    private readonly PushQueueClient _client;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;

    /// <summary>A worker of one queue.</summary>
    protected Worker(PushQueueClient client, string queue, WorkerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentException.ThrowIfNullOrEmpty(queue);
        _client = client;
        _time = client.Options.TimeProvider;
        _logger = client.Options.LoggerFactory?.CreateLogger<Worker>() ?? (ILogger)NullLogger.Instance;
        Queue = queue;
        Options = options ?? new WorkerOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(Options.Concurrency, 1, nameof(options));
        Name = Options.Name ?? $"{Environment.MachineName}-{Environment.ProcessId}";
    }

    /// <summary>The queue.</summary>
    public string Queue { get; }

    /// <summary>The name under which the server lists it.</summary>
    public string Name { get; }

    /// <summary>How it works.</summary>
    public WorkerOptions Options { get; }

    internal ILogger Logger => _logger;

    internal TimeProvider Time => _time;

    /// <summary>A worker that calls a function for each message.</summary>
    public static Worker Create(
        PushQueueClient client, string queue, Func<Message, CancellationToken, Task> handle, WorkerOptions? options = null) =>
        new DelegateWorker(client, queue, handle, options);

    /// <summary>The worker has no connection, at first or again, and tries to get one. Raised on a thread of the pool.</summary>
    public event Action<Reconnecting>? Reconnecting;

    /// <summary>
    /// Works until <paramref name="stopping"/> is cancelled, and then returns when what has begun is done. A server that cannot be reached
    /// is waited for.
    /// </summary>
    /// <exception cref="PushQueueException">
    /// The server refuses the worker; or the queue broadcasts, so that there is nothing to ack (<see cref="ProblemTypes.NotRoundRobin"/>);
    /// or the queue was deleted (<see cref="ProblemTypes.QueueDeleted"/>).
    /// </exception>
    public async Task RunAsync(CancellationToken stopping = default)
    {
        using var drained = new CancellationTokenSource();
        using var hardStop = new CancellationTokenSource();
        using var free = new SemaphoreSlim(Options.Concurrency);
        var running = new RunningWork();
        var stream = _client.ConsumeAsync(Queue, ConsumeOptions(), CancellationToken.None);
        stream.Reconnecting += reconnecting => Reconnecting?.Invoke(reconnecting);
        stream.Connected += () => running.Add(RegisterAsync(stopping));
        var messages = stream.GetAsyncEnumerator(drained.Token);
        var stopped = Task.Delay(Timeout.InfiniteTimeSpan, _time, stopping);
        var next = Task.FromResult(false);
        try
        {
            while (true)
            {
                await free.WaitAsync(stopping).ConfigureAwait(false);
                next = messages.MoveNextAsync().AsTask();

                // The enumeration itself goes on while work that has begun is ended: its connection keeps the leases alive.
                if (await Task.WhenAny(next, stopped).ConfigureAwait(false) == stopped)
                {
                    break;
                }

                if (!await next.ConfigureAwait(false))
                {
                    throw Ended(stream.EndReason);
                }

                if (messages.Current.Receipt is null)
                {
                    throw NotRoundRobin();
                }

                running.Add(WorkAsync(messages.Current, free, hardStop.Token));
                next = Task.FromResult(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop while every slot was busy.
        }
        catch (PushQueueException e) when (e.Type == ProblemTypes.WrongPolicy)
        {
            next = Task.FromResult(false);
            throw NotRoundRobin();
        }
        finally
        {
            await DrainAsync(running, hardStop).ConfigureAwait(false);
            await drained.CancelAsync().ConfigureAwait(false);
            await EndAsync(next, messages).ConfigureAwait(false);
        }
    }

    /// <summary>Does the work. To return is to ack; to throw is to release with the exception's message.</summary>
    /// <param name="message">The message. An ack or release of one's own is allowed; it is then left alone.</param>
    /// <param name="cancellationToken">Cancelled when the message is lost (its lease ended, it was cancelled) and when the worker has to
    /// stop now.</param>
    protected abstract Task HandleAsync(Message message, CancellationToken cancellationToken);

    private ConsumeOptions ConsumeOptions() => Options.Consume with
    {
        Ack = AckMode.Manual,
        Policy = "roundrobin",
        WaitForServer = true,
        Prefetch = Math.Max(Options.Prefetch ?? Options.Concurrency, Options.Concurrency),
        TimeToRun = Options.TimeToRun ?? Options.Consume.TimeToRun,
        Worker = Name,
    };

    private PushQueueException Ended(string? reason) => reason == ProblemTypes.QueueDeleted
        ? new PushQueueException(ProblemTypes.QueueDeleted, $"The queue '{Queue}' was deleted, so its worker ended.")
        : new PushQueueException(ProblemTypes.Disconnected, $"The server ended the stream of queue '{Queue}', so its worker ended.");

    private PushQueueException NotRoundRobin() => new(
        ProblemTypes.NotRoundRobin, $"The queue '{Queue}' broadcasts; a worker needs its policy to be roundrobin: change its settings.");

    private async Task WorkAsync(Message message, SemaphoreSlim free, CancellationToken hardStop)
    {
        // The loop goes on to the next message whatever this one does at once.
        await Task.Yield();
        try
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(message.Ended, hardStop);
            using var done = new CancellationTokenSource();
            var touching = TouchAsync(message, done.Token);
            var error = await TryHandleAsync(message, ended.Token).ConfigureAwait(false);
            await done.CancelAsync().ConfigureAwait(false);
            await touching.ConfigureAwait(false);
            await SettleAsync(message, error, hardStop).ConfigureAwait(false);
        }
        finally
        {
            _ = free.Release();
        }
    }

    private async Task<Exception?> TryHandleAsync(Message message, CancellationToken ended)
    {
        try
        {
            await HandleAsync(message, ended).ConfigureAwait(false);
            return null;
        }
        catch (Exception e)
        {
            WorkerLog.Failed(_logger, e, Queue, message.Id, message.Attempt);
            return e;
        }
    }

    private async Task SettleAsync(Message message, Exception? error, CancellationToken hardStop)
    {
        if (message.Settled)
        {
            return;
        }

        if (message.Ended.IsCancellationRequested)
        {
            WorkerLog.Lost(_logger, Queue, message.Id);
            return;
        }

        try
        {
            var settled = error is null
                ? await message.AckAsync(CancellationToken.None).ConfigureAwait(false)
                : await message.ReleaseFailedAsync(
                    Options.RetryDelay, hardStop.IsCancellationRequested ? null : Backoff, error.Message).ConfigureAwait(false);
            if (!settled)
            {
                WorkerLog.Lost(_logger, Queue, message.Id);
            }
        }
        catch (PushQueueException e)
        {
            // The message comes again: to this worker or to another.
            WorkerLog.NotSettled(_logger, e, Queue, message.Id);
        }
    }

    private async Task TouchAsync(Message message, CancellationToken done)
    {
        if ((Options.TimeToRun ?? Options.Consume.TimeToRun) is not { } timeToRun)
        {
            return;
        }

        try
        {
            using var timer = new PeriodicTimer(Timeouts.OrLongest(timeToRun / 3), _time);
            while (await timer.WaitForNextTickAsync(done).ConfigureAwait(false) && !message.Ended.IsCancellationRequested)
            {
                await TouchOnceAsync(message, timeToRun, done).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            // The work is done.
        }
    }

    private async Task TouchOnceAsync(Message message, TimeSpan timeToRun, CancellationToken done)
    {
        try
        {
            _ = await message.TouchAsync(timeToRun, done).ConfigureAwait(false);
        }
        catch (PushQueueException e)
        {
            // Two more tries fit into the lease.
            WorkerLog.NotSettled(_logger, e, Queue, message.Id);
        }
    }

    private async Task DrainAsync(RunningWork running, CancellationTokenSource hardStop)
    {
        try
        {
            await running.AllAsync().WaitAsync(Timeouts.OrInfinite(Options.DrainTimeout), _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            WorkerLog.DrainTimedOut(_logger, Queue, Options.DrainTimeout);
            await hardStop.CancelAsync().ConfigureAwait(false);
            await running.AllAsync().ConfigureAwait(false);
        }
    }

    /// <summary>So that the server lists the worker before its first message; the stream has its name, too.</summary>
    private async Task RegisterAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _client.RegisterWorkerAsync(Queue, Name, cancellationToken).ConfigureAwait(false);
        }
        catch (PushQueueException e)
        {
            WorkerLog.NotRegistered(_logger, Queue, e.Detail);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The worker ends, or the client is gone.
            WorkerLog.NotRegistered(_logger, Queue, e.Message);
        }
    }

    private static async Task EndAsync(Task<bool> next, IAsyncEnumerator<Message> messages)
    {
        try
        {
            if (await next.ConfigureAwait(false))
            {
                // It came when nothing was to be begun any more.
                messages.Current.Unstart();
            }
        }
        catch (OperationCanceledException)
        {
            // By the end of this worker.
        }
        finally
        {
            await messages.DisposeAsync().ConfigureAwait(false);
        }
    }

    private sealed class DelegateWorker(
        PushQueueClient client, string queue, Func<Message, CancellationToken, Task> handle, WorkerOptions? options)
        : Worker(client, queue, options)
    {
        protected override Task HandleAsync(Message message, CancellationToken cancellationToken) => handle(message, cancellationToken);
    }
}
