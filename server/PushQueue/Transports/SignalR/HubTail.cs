using System.Runtime.CompilerServices;
using System.Threading.Channels;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.Watching;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Serves the hub's streams of the events of a queue's messages, those of the other nodes included. Events come together rather than one by
/// one: a busy queue costs a few writes a second.
/// </summary>
internal sealed class HubTail(MessageTails tails, ClusterTail cluster, WatcherPlaces places, TimeProvider time)
{
    private const int EventsMax = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public IAsyncEnumerable<RawJson> Tail(ConnectionCaller caller, string queue, CancellationToken cancelled)
    {
        var name = HubWatch.NameOf(queue);
        void Check() => HubWatch.Allowed(caller, now => now.WhyNot(Permissions.Take | Permissions.Listen | Permissions.Manage, name));
        Check();
        return TailAsync(name, Check, cancelled);
    }

    private async IAsyncEnumerable<RawJson> TailAsync(
        QueueName queue, Action check, [EnumeratorCancellation] CancellationToken cancelled)
    {
        using var place = places.TryTake(out var problem) ?? throw HubCommands.Failure(problem!);
        using var timer = new PeriodicTimer(Interval, time);
        var elsewhere = new RemoteEvents();
        var tail = tails.Open(queue);
        try
        {
            await using var listening = await cluster.ListenAsync(queue, elsewhere.Add);

            // An empty item at once: a reader that sees it knows that no event is missed from here on.
            yield return Written([], 0);
            var (here, there) = (Wait(tail.Events, cancelled), Wait(elsewhere.Events, cancelled));
            while (await HasEventsAsync(here, there))
            {
                check();
                var batch = new List<TailEventContract>();
                while (batch.Count < EventsMax && tail.Events.TryRead(out var tailEvent))
                {
                    batch.Add(TailEventContract.Of(tailEvent));
                }

                var missed = tail.TakeMissed() + elsewhere.TakeMissed();
                while (batch.Count < EventsMax && elsewhere.Events.TryRead(out var tailEvent))
                {
                    batch.Add(tailEvent);
                }

                yield return Written(batch, missed);
                if (!await timer.NextTickAsync(cancelled))
                {
                    yield break;
                }

                // A wait that has not ended yet goes on: another one next to it would stay until that side has an event.
                here = here.IsCompleted ? Wait(tail.Events, cancelled) : here;
                there = there.IsCompleted ? Wait(elsewhere.Events, cancelled) : there;
            }
        }
        finally
        {
            tails.Close(tail);
        }
    }

    private static RawJson Written(IReadOnlyList<TailEventContract> events, long missed) =>
        new(JsonBuffer.Write(new TailEventsContract(missed, events), ContractContext.Default.TailEventsContract));

    private static Task<bool> Wait<T>(ChannelReader<T> events, CancellationToken cancelled) => events.WaitToReadAsync(cancelled).AsTask();

    private static async ValueTask<bool> HasEventsAsync(Task<bool> here, Task<bool> there)
    {
        try
        {
            return await await Task.WhenAny(here, there);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Events of other nodes that wait for the watcher; those that find no room are counted.</summary>
    private sealed class RemoteEvents
    {
        private readonly Channel<TailEventContract> _events = Channel.CreateBounded<TailEventContract>(
            new BoundedChannelOptions(MessageTail.EventsMax));

        private long _missed;

        public ChannelReader<TailEventContract> Events => _events.Reader;

        public void Add(TailEventsContract sent)
        {
            _ = Interlocked.Add(ref _missed, sent.Missed);
            foreach (var happened in sent.Events)
            {
                if (!_events.Writer.TryWrite(happened))
                {
                    _ = Interlocked.Increment(ref _missed);
                }
            }
        }

        public long TakeMissed() => Interlocked.Exchange(ref _missed, 0);
    }
}
