using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// The entry point for consumers and for notifications of the store. Holds a <see cref="QueueDispatcher"/> for each queue that has
/// consumers here.
/// </summary>
internal sealed partial class Dispatcher(
    IMessageStore store,
    ConsumerRegistry registry,
    IEnumerable<IDispatchPolicyFactory> policies,
    TimeProvider time,
    ILogger<Dispatcher> logger,
    MessageMeter meter,
    LimitHits? hits = null) : IQueueChangeListener
{
    private static readonly TimeSpan SliceInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<QueueName, QueueDispatcher> _queues = new();
    private readonly FaultBorder _faults = new("delivery", logger, meter);
    private volatile bool _draining;
    private volatile bool _leaving;

    /// <summary>
    /// Joins a consumer. From when this completes it gets every message that is put (or, with a start position, every message from there
    /// on). Its buffer may still be held.
    /// </summary>
    public async ValueTask<Consumer> SubscribeAsync(
        QueueName queue, OutboundBuffer buffer, MessageFormat format, ConsumerOptions options, SetMember? member = null)
    {
        var consumer = new Consumer(registry.NextNumber(), queue, buffer, format, options, time.GetUtcNow()) { Member = member };
        var dispatcher = _queues.GetOrAdd(queue, static (name, self) => self.Make(name), this);
        while (!dispatcher.TryEnter(consumer))
        {
            Forget(dispatcher);
            dispatcher = _queues.GetOrAdd(queue, static (name, self) => self.Make(name), this);
        }

        // Counted first: if the connection ends now, the consumer leaves as soon as it is attached.
        registry.Join(consumer);
        buffer.Attach(consumer);
        try
        {
            await dispatcher.Loaded;
            await dispatcher.KeepAsync(isJoining: true);
            if (options.Grace > TimeSpan.Zero || options.Token is not null)
            {
                await TakeUpPlaceAsync(consumer);
            }

            if (options.Instance is { } instance)
            {
                TakeInstance(consumer, instance);
            }

            if (member?.Announced is { } position)
            {
                // Before the first message can be written.
                _ = buffer.Offer(format.EncodeJoined(queue, position), consumer);
            }
        }
        catch
        {
            AbandonJoin(consumer, lost: false);
            throw;
        }

        if (consumer.HasLeft || buffer.IsClosed)
        {
            AbandonJoin(consumer, lost: true);
        }
        else if (Find(queue) != dispatcher)
        {
            EndDeleted(consumer);
        }
        else if (options.From.Kind == StartKind.Live || dispatcher.IsRoundRobin)
        {
            dispatcher.GoLive(consumer);
        }
        else
        {
            _ = new CatchUp(consumer, dispatcher, store, time).RunAsync(_faults);
        }

        return consumer;
    }

    public DeliveryCounts Counts { get; } = new(hits);

    /// <summary>True once the node is stopping: new streams are refused.</summary>
    public bool IsDraining => _draining || _leaving;

    /// <summary>
    /// Where a consumer's stream begins, as a cursor that resumes there. Only for one that begins live: another is somewhere in history,
    /// and the cursor of the next round would have it skip what it has not seen yet.
    /// </summary>
    public static async ValueTask<Cursor?> CursorAsync(Consumer consumer)
    {
        // Where it joined, not where the queue is by now: a round that is being given out advances the queue before its page gets here.
        var joined = consumer.JoinedAt;
        return consumer.Options.From.Kind != StartKind.Live ? null
            : joined.Epoch.Length > 0 ? joined
            : Cursor.Of(await consumer.Dispatcher!.EpochAsync(), joined.Offset);
    }

    /// <summary>
    /// The first page of a stream of one consumer, for <see cref="OutboundBuffer.Open"/>: its client must know where it begins before the
    /// first message, or what is put while it connects again would be lost without a gap.
    /// </summary>
    public static async ValueTask<EncodedPage?> EncodeOpeningAsync(Consumer consumer)
    {
        var cursor = consumer.Dispatcher!.IsRoundRobin ? null : await CursorAsync(consumer);
        return consumer.Format.EncodeOpening(consumer.Queue, new Opening(cursor, consumer.Place));
    }

    /// <summary>Takes a consumer out and gives back what it holds. Does nothing the second time.</summary>
    /// <param name="consumer">The consumer that leaves.</param>
    /// <param name="lost">Its connection went, so that it may come back within its grace time.</param>
    /// <param name="started">The leases that its program reports as begun; the others go back uncounted. Null where it reports nothing:
    /// then <see cref="LeftWork"/> decides.</param>
    public void Unsubscribe(Consumer consumer, bool lost = false, IReadOnlyList<LeaseKey>? started = null)
    {
        consumer.Buffer.Detach(consumer);
        if (lost && !IsDraining && consumer.Token is not null && HeldLeases.HasAny(consumer) && _graces.TryHold(consumer, EndGrace))
        {
            _ = Leave(consumer);
            return;
        }

        if (Leave(consumer))
        {
            _ = _graces.Forget(consumer);
            consumer.Dispatcher!.Exit();
            GiveBackAll(consumer, started);
        }
    }

    /// <summary>Takes all consumers of a connection out. The connection itself may stay for its closing notice.</summary>
    public void UnsubscribeAll(OutboundBuffer buffer)
    {
        foreach (var consumer in buffer.Consumers.ToArray())
        {
            Unsubscribe(consumer, lost: true);
        }
    }

    /// <summary>Ends all consumers of a connection that is over, and forgets it.</summary>
    public async Task EndAsync(OutboundBuffer buffer)
    {
        buffer.Set?.Ended?.Invoke();
        UnsubscribeAll(buffer);
        await buffer.EndAsync();

        // Consumers may have joined meanwhile. Each that joins from here on finds that the buffer is closed.
        buffer.Set?.Ended?.Invoke();
        UnsubscribeAll(buffer);
        registry.Remove(buffer);
    }

    public void OnReady(QueueName queue) => Find(queue)?.Signal();

    public void OnFeeding(QueueName queue)
    {
        while (!IsDraining)
        {
            var dispatcher = _queues.GetOrAdd(queue, static (name, self) => self.Make(name), this);
            if (dispatcher.TryFeed())
            {
                return;
            }

            Forget(dispatcher);
        }
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings) => Find(queue)?.OnSettingsChanged(settings);

    public void OnBroadcast(QueueName queue, long nextOffset) => Find(queue)?.OnBroadcast(nextOffset);

    public void OnResumed()
    {
        foreach (var (_, queue) in _queues)
        {
            queue.LookAgain();
            _ = CheckHeldAsync(queue);
        }
    }

    public void OnDeleted(QueueName queue)
    {
        // A consumer that subscribes from here on finds a new queue.
        if (!_queues.TryRemove(queue, out var dispatcher))
        {
            return;
        }

        dispatcher.Pause();
        foreach (var buffer in registry.Buffers)
        {
            foreach (var consumer in buffer.Consumers)
            {
                if (consumer.Queue == queue)
                {
                    EndDeleted(consumer);
                }
            }
        }
    }

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt) =>
        Find(queue)?.Held.Settle(id, receipt, HeldEnd.Cancelled, consumer =>
            _ = consumer.Buffer.Offer(consumer.Format.EncodeCancel(queue, id), consumer));

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
        // By the receipt, because the id may be another message's by now. Ends without an ack arrive as ends of the lease.
        if (!outcome.Receipt.IsNone)
        {
            Find(queue)?.Held.Settle(id, outcome.Receipt, HeldEnd.Acked);
        }
    }

    public void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt) =>
        Find(queue)?.Held.Settle(id, receipt, HeldEnd.Failed);

    /// <summary>
    /// Refuses new streams and tells the connections to connect again elsewhere, some at each interval, so that the other nodes do not get
    /// them all at once. Rounds continue for the connections that are still here.
    /// </summary>
    public async Task LeaveAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        _leaving = true;
        for (var slices = Math.Max(1, (int)(duration / SliceInterval)); slices > 0; slices--)
        {
            // Counted again for each slice, because connections end by themselves, too.
            var slice = (int)Math.Ceiling((double)registry.Connections / slices);
            var reason = CloseReason.ServerShutdown.ForMany(slice);

            // The program that hosts the queue has no other node to go to: it continues to serve until the host stops.
            foreach (var buffer in registry.Buffers.Where(static buffer => buffer.IsOpen && !buffer.Connection.IsInProcess).Take(slice))
            {
                buffer.Close(reason, keepWaiting: true);
            }

            await Task.Delay(SliceInterval, time, cancellationToken);
        }
    }

    /// <summary>Starts no more rounds, tells all connections to connect again elsewhere, and waits until they have ended.</summary>
    /// <param name="timeout">How long connections over the network may take.</param>
    /// <param name="hostGivesUp">Until then the work of the program itself, in this process, may take; by default no longer.</param>
    public async Task DrainAsync(TimeSpan timeout, CancellationToken? hostGivesUp = null)
    {
        _draining = true;

        // As they are now: a queue whose last consumer leaves is forgotten here, and what that one gave back may still be on its way.
        var queues = _queues.Values.ToArray();
        foreach (var queue in queues)
        {
            queue.Pause();
        }

        Log.Draining(logger, registry.Connections, registry.Consumers);
        var reason = CloseReason.ServerShutdown.ForMany(registry.Connections);
        foreach (var buffer in registry.Buffers)
        {
            buffer.Close(reason, keepWaiting: true);
        }

        foreach (var consumer in _graces.Absent())
        {
            if (_graces.Forget(consumer))
            {
                EndGrace(consumer);
            }
        }

        try
        {
            await registry.WhenEmpty().WaitAsync(timeout, time);
        }
        catch (TimeoutException)
        {
            foreach (var buffer in registry.Buffers.Where(buffer => hostGivesUp is null || !buffer.Connection.IsInProcess))
            {
                buffer.Connection.Abort(CloseReason.ServerShutdown);
            }
        }

        if (hostGivesUp is { } givesUp)
        {
            await registry.WhenNoneInProcess(givesUp);
        }

        // The store gets all that the consumers gave back before it closes, unless it is out of reach.
        foreach (var queue in queues)
        {
            queue.Settler.GiveUp();
        }

        await Task.WhenAll(queues.Select(queue => queue.Settler.WhenSettled()));
    }

    /// <summary>A lease whose end was not notified here would take its holder's credit for ever.</summary>
    private async Task CheckHeldAsync(QueueDispatcher dispatcher)
    {
        try
        {
            var keys = dispatcher.Held.Keys();
            var answers = keys.Length > 0 ? await store.CheckAsync(dispatcher.Queue, keys) : [];
            for (var i = 0; i < answers.Count; i++)
            {
                if (answers[i] is QueueError.LeaseLost or QueueError.NotFound)
                {
                    dispatcher.Held.Settle(keys[i].Id, keys[i].Receipt, HeldEnd.Cancelled);
                }
            }
        }
        catch (StoreUnavailableException)
        {
            // Away again: it says so when it is back.
        }
        catch (Exception e)
        {
            // A border: no caller awaits this.
            _faults.Report(dispatcher.Queue, e);
        }
    }

    /// <summary>The connection or the consumer ended while it joined: returns also what it took over after its end.</summary>
    private void AbandonJoin(Consumer consumer, bool lost)
    {
        if (!consumer.HasLeft)
        {
            Unsubscribe(consumer, lost);
            return;
        }

        _ = _graces.Forget(consumer);
        GiveBackAll(consumer);
    }

    /// <summary>No more rounds for a consumer. False where it had left already.</summary>
    private bool Leave(Consumer consumer)
    {
        lock (consumer)
        {
            if (consumer.HasLeft)
            {
                return false;
            }

            consumer.Dispatcher!.Leave(consumer);
        }

        ForgetInstance(consumer);
        registry.Leave(consumer);
        return true;
    }

    private void GiveBackAll(Consumer consumer, IReadOnlyList<LeaseKey>? started = null)
    {
        var held = consumer.Dispatcher!.Held.TakeAll(consumer);
        if (held.Length == 0)
        {
            return;
        }

        // A server that stops takes the work away from a consumer that has done nothing wrong.
        var begun = (started ?? (_draining ? [] : LeftWork.BegunOf(consumer, held))).ToHashSet();
        var keys = Array.ConvertAll(held, static lease => lease.Key);
        consumer.GiveBackCredit(keys.Length);
        consumer.Dispatcher.Settler.GiveBack(Array.FindAll(keys, key => !begun.Contains(key)), BrokenConnection.NotBegun);
        consumer.Dispatcher.Settler.GiveBack(Array.FindAll(keys, begun.Contains), BrokenConnection.Begun);
    }

    private void Forget(QueueDispatcher dispatcher) => _queues.TryRemove(KeyValuePair.Create(dispatcher.Queue, dispatcher));

    private QueueDispatcher? Find(QueueName queue) => _queues.GetValueOrDefault(queue);

    private QueueDispatcher Make(QueueName queue)
    {
        var dispatcher = new QueueDispatcher(queue, store, policies, time, _faults, Counts, registry.Memory, Forget);
        if (_draining)
        {
            dispatcher.Pause();
        }

        return dispatcher;
    }

    /// <summary>Its queue was deleted: found by the delete, or by the consumer itself where it came too late to be found.</summary>
    private void EndDeleted(Consumer consumer)
    {
        _ = _graces.Forget(consumer);
        if (!consumer.HasLeft)
        {
            EndSubscription(consumer, CloseReason.QueueDeleted);
        }
    }

    /// <summary>
    /// Ends one subscription and sends its client the reason; the connection ends with it unless it can hold others.
    /// </summary>
    public void EndSubscription(Consumer consumer, CloseReason reason)
    {
        if (consumer.Buffer.Connection.Multiplexed || (consumer.Member is not null && reason != CloseReason.Disconnected))
        {
            _ = consumer.Buffer.Offer(consumer.Format.EncodeClose(consumer.Queue, reason), consumer);
            Unsubscribe(consumer);
            if (consumer.Member is { } member)
            {
                member.Set.Left?.Invoke(member, reason);
            }
        }
        else
        {
            consumer.Buffer.Close(reason, keepWaiting: true);
        }
    }
}
