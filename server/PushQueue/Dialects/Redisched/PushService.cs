using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Dialects.Redisched;

/// <summary>
/// Keeps a <see cref="TopicPusher"/> for every queue whose settings name a URL: for those that do at the start, and from then on as the
/// settings change.
/// </summary>
internal sealed class PushService(
    IMessageBroker broker, PushSender sender, RedischedOptions options, TimeProvider time, ILogger<PushService> logger, MessageMeter meter)
    : IHostedService, IQueueChangeListener
{
    private const int PageSize = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<QueueName, TopicPusher> _pushers = [];
    private readonly Dictionary<TopicPusher, Task> _leaving = [];
    private readonly FaultBorder _faults = new("push", logger, meter);
    private bool _running;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _running = true;
        }

        string? after = null;
        do
        {
            var page = await broker.ListQueuesAsync(after, PageSize);
            foreach (var queue in page.Queues)
            {
                _ = _faults.Try(queue.Name, queue, queue => OnSettingsChanged(queue.Name, queue.Settings));
            }

            after = page.Next;
        }
        while (after is not null);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        List<Task> all;
        lock (_lock)
        {
            _running = false;
            all =
            [
                .. _pushers.Values.Select(static pusher => pusher.DisposeAsync().AsTask()),
                .. _leaving.Keys.Select(static pusher => pusher.AbortAsync()),
                .. _leaving.Values,
            ];
            _pushers.Clear();
        }

        await Task.WhenAll(all).WaitAsync(cancellationToken);
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings)
    {
        lock (_lock)
        {
            if (!_running)
            {
                return;
            }

            var url = settings.PushUrl is { } text && Uri.TryCreate(text, UriKind.Absolute, out var parsed) ? parsed : null;
            if (_pushers.TryGetValue(queue, out var pusher))
            {
                if (pusher.Url == url)
                {
                    pusher.Change(settings);
                    return;
                }

                LeaveLocked(queue, pusher);
            }

            if (url is not null)
            {
                _pushers.Add(queue, pusher = new TopicPusher(queue, url, options.PushConcurrency, broker, sender, time, logger, _faults));
                pusher.Start(settings);
            }
        }
    }

    public void OnDeleted(QueueName queue)
    {
        lock (_lock)
        {
            if (_pushers.TryGetValue(queue, out var pusher))
            {
                LeaveLocked(queue, pusher);
            }
        }
    }

    public void OnReady(QueueName queue)
    {
    }

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt)
    {
    }

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
    }

    /// <summary>Requests that are on their way may still arrive.</summary>
    private void LeaveLocked(QueueName queue, TopicPusher pusher)
    {
        _pushers.Remove(queue);
        pusher.Stop();
        _leaving.Add(pusher, LeaveAsync(pusher));
    }

    private async Task LeaveAsync(TopicPusher pusher)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await pusher.SettledAsync();
        lock (_lock)
        {
            // From here on nobody aborts it, so that it can be disposed of.
            _leaving.Remove(pusher);
        }

        await pusher.DisposeAsync();
    }
}
