using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Dialects.Redisched;

/// <summary>
/// Pushes one topic's jobs to its URL as they fall due, a bounded number at a time. Each job is leased for longer than its receiver may
/// take to answer; if this process dies the lease ends by itself and the job comes again. So a receiver may see a job twice, and never
/// misses one.
/// </summary>
internal sealed class TopicPusher(
    QueueName topic, Uri url, int concurrency, IMessageBroker broker, PushSender sender, TimeProvider time, ILogger logger,
    FaultBorder faults)
    : IAsyncDisposable
{
    /// <summary>The lease outlives the wait for the answer by this, so that what is put back is put back with its delay.</summary>
    private static readonly TimeSpan LeaseMargin = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan PauseAfterRefusal = TimeSpan.FromSeconds(1);

    private static readonly RetryDelay GrowingDelay = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    private readonly string _worker = $"push {url.Authority}";
    private readonly SemaphoreSlim _room = new(concurrency, concurrency);
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _aborting = new();
    private volatile QueueSettings _settings = QueueSettings.Default;
    private volatile bool _failing;
    private bool _loopFails;
    private Task _running = Task.CompletedTask;

    public Uri Url => url;

    public void Start(QueueSettings settings)
    {
        _settings = settings;
        _running = RunAsync();
    }

    public void Change(QueueSettings settings) => _settings = settings;

    /// <summary>Leases no more; what is on its way may arrive.</summary>
    public void Stop() => _stopping.Cancel();

    /// <summary>Takes back what is on its way; completes when all has been settled.</summary>
    public async Task AbortAsync()
    {
        await _stopping.CancelAsync();
        await _aborting.CancelAsync();
        await SettledAsync();
    }

    /// <summary>Completes when nothing is on its way any more; only after <see cref="Stop"/>.</summary>
    public async Task SettledAsync()
    {
        await _running;
        for (var i = 0; i < concurrency; i++)
        {
            await _room.WaitAsync();
        }

        _room.Release(concurrency);
    }

    public async ValueTask DisposeAsync()
    {
        await AbortAsync();
        _room.Dispose();
        _stopping.Dispose();
        _aborting.Dispose();
    }

    private async Task RunAsync()
    {
        // Started by the thread that brings the event, which must not wait for it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await LeaseOneAsync(_stopping.Token);
                _loopFails = false;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The loop is a border: whatever it was, the topic is tried again.
                faults.ReportOnce(topic, e, isRepeated: _loopFails);
                _loopFails = true;
                await PauseAsync();
            }
        }
    }

    private async Task LeaseOneAsync(CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        var handedOver = false;
        try
        {
            var take = new TakeRequest(Wait: MessageBroker.WaitMax, TimeToRun: _settings.TimeToRun + LeaseMargin, Worker: _worker);
            var result = await broker.LeaseAsync(topic, take, cancellationToken);
            if (result is { Ok: true, Value: [var lease, ..] })
            {
                handedOver = true;
                _ = PushAsync(lease);
            }
            else if (!result.Ok)
            {
                // Stopped, or the store is away: asked again soon.
                await PauseAsync();
            }
        }
        finally
        {
            if (!handedOver)
            {
                _room.Release();
            }
        }
    }

    private async Task PushAsync(Lease lease)
    {
        try
        {
            var failure = await sender.SendAsync(url, lease.Message, _settings.TimeToRun, _aborting.Token);
            await SettleAsync(lease, failure);
        }
        catch (Exception e)
        {
            // Border: nobody awaits a push. The lease ends by itself.
            faults.Report(topic, e);
        }
        finally
        {
            _room.Release();
        }
    }

    private async Task SettleAsync(Lease lease, string? failure)
    {
        LeaseKey[] key = [new LeaseKey(lease.Message.Id, lease.Receipt)];
        if (failure is null)
        {
            _failing = false;
            _ = await broker.AckAsync(topic, key);
            return;
        }

        if (_aborting.IsCancellationRequested)
        {
            _ = await broker.ReleaseAsync(topic, key, new ReleaseRequest(Error: failure, CountsAsAttempt: false));
            return;
        }

        if (!_failing)
        {
            _failing = true;
            Log.ReceiverFails(logger, topic.Value, url.Authority, failure);
        }

        // The queue's settings win; without a delay there a receiver that is down would be called without a pause.
        var retryDelay = _settings.RetryDelay == RetryDelay.None ? GrowingDelay : _settings.RetryDelay;
        _ = await broker.ReleaseAsync(topic, key, new ReleaseRequest(retryDelay.After(lease.Message.Attempt), failure));
    }

    private async Task PauseAsync()
    {
        try
        {
            await Task.Delay(PauseAfterRefusal, time, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // Stopped meanwhile, as the loop sees next.
        }
    }
}
