using System.Text.Json;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.Watching;

#pragma warning disable RS0030 // Only notices of other nodes are read here.

/// <summary>
/// The events of a watched queue that happen at other nodes. A node with a watcher asks the others every few seconds; each then sends its
/// events as notices until it is no longer asked. Puts and deliveries are events of the node that did them; the ends of messages and leases
/// reach every node from the store, and are not sent a second time.
/// </summary>
internal sealed class ClusterTail
{
    private const string Question = "tail";

    private const int EventsMax = 100;

    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan SendInterval = TimeSpan.FromMilliseconds(100);

    private readonly MessageTails _tails;
    private readonly ClusterAnswers _cluster;
    private readonly INotices _notices;
    private readonly TimeProvider _time;
    private readonly long _node;
    private readonly FaultBorder _faults;

    private readonly Interests _interests;

    public ClusterTail(
        MessageTails tails,
        ClusterAnswers cluster,
        INotices notices,
        INodes nodes,
        TimeProvider time,
        MessageMeter meter,
        ILogger<ClusterTail> logger)
    {
        (_tails, _cluster, _notices, _time, _node) = (tails, cluster, notices, time, nodes.NumberBase);
        _faults = new FaultBorder("tail", logger, meter);
        _interests = new Interests(time);
    }

    /// <summary>Answers the questions of other nodes from now on.</summary>
    public void Listen() => _cluster.AnswerWith(Question, AnswerAsync);

    /// <summary>Calls the handler with the events at other nodes until the result is disposed. The handler must return at once.</summary>
    public async ValueTask<IAsyncDisposable> ListenAsync(QueueName queue, Action<TailEventsContract> handler)
    {
        var listening = await _notices.ListenAsync(Topic(queue), notice =>
        {
            if (JsonSerializer.Deserialize(notice.Span, ContractContext.Default.TailNoticeContract) is { } sent && sent.Node != _node)
            {
                handler(sent.Events);
            }
        });
        await _cluster.AskAsync($"{Question}\n{queue.Value}");
        return new Asking(this, queue, listening);
    }

    private static string Topic(QueueName queue) => $"tail:{queue.Value}";

    private async Task AskOnceAsync(QueueName queue)
    {
        try
        {
            await _cluster.AskAsync($"{Question}\n{queue.Value}");
        }
        catch (Exception e)
        {
            // A border: the watcher sees the events of its own node meanwhile, and the next question may be answered.
            _faults.Report(queue, e);
        }
    }

    /// <summary>Another node asks: its watchers get this node's events for a while.</summary>
    private ValueTask<byte[]> AnswerAsync(string queue)
    {
        var name = QueueName.Parse(queue);
        if (_interests.Renew(name))
        {
            _ = SendAsync(name, _tails.Open(name));
        }

        return new ValueTask<byte[]>(Array.Empty<byte>());
    }

    private async Task SendAsync(QueueName queue, MessageTail tail)
    {
        try
        {
            using var timer = new PeriodicTimer(SendInterval, _time);
            while (await timer.WaitForNextTickAsync() && !_interests.TryForget(queue))
            {
                var events = new List<TailEventContract>();
                while (events.Count < EventsMax && tail.Events.TryRead(out var tailEvent))
                {
                    if (tailEvent.Kind is TailEventKind.Put or TailEventKind.HandedOut)
                    {
                        events.Add(TailEventContract.Of(tailEvent));
                    }
                }

                var missed = tail.TakeMissed();
                if (events.Count > 0 || missed > 0)
                {
                    var notice = new TailNoticeContract(_node, new TailEventsContract(missed, events));
                    _notices.Send(Topic(queue), JsonBuffer.Write(notice, ContractContext.Default.TailNoticeContract));
                }
            }
        }
        catch (Exception e)
        {
            // A border: nobody waits for this.
            _faults.Report(queue, e);
        }
        finally
        {
            _tails.Close(tail);
        }
    }

    /// <summary>Keeps the other nodes sending.</summary>
    private sealed class Asking : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly IAsyncDisposable _listening;
        private readonly Task _asking;

        public Asking(ClusterTail tail, QueueName queue, IAsyncDisposable listening)
        {
            _listening = listening;
            _asking = AskAsync(tail, queue);
        }

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await _asking;
            await _listening.DisposeAsync();
            _end.Dispose();
        }

        private async Task AskAsync(ClusterTail tail, QueueName queue)
        {
            try
            {
                using var timer = new PeriodicTimer(AskInterval, tail._time);
                while (await timer.WaitForNextTickAsync(_end.Token))
                {
                    await tail.AskOnceAsync(queue);
                }
            }
            catch (OperationCanceledException)
            {
                // The watcher has left.
            }
        }
    }
}
