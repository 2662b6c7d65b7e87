using System.Globalization;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// Each message goes to exactly one consumer, in strict rotation over those with credit and room. A round first plans whose turn the next
/// messages would be, leases no more than that, hands them out, and remembers where it stopped.
/// </summary>
internal sealed class RoundRobinPolicy(
    QueueDispatcher dispatcher, IMessageStore store, MessageTails tails, MemoryBudget memory) : IDispatchPolicy
{
    private readonly List<Consumer> _turns = [];
    private readonly List<Consumer> _given = [];
    private readonly FilterTurns _filters = new(dispatcher);
    private Consumer? _last;
    private int _lastIndex;
    private int _room;
    private int _consumersWithRoom;
    private bool _sharesCredit;

    /// <summary>A round ends within itself.</summary>
    public ValueTask<bool> FinishAsync() => new(false);

    public async ValueTask<bool> RunRoundAsync()
    {
        // Set before the rooms are read: a consumer that frees up after its room was read signals the dispatcher again.
        dispatcher.WaitsForRoom = true;
        Interlocked.MemoryBarrier();
        var live = dispatcher.Live();
        var isFiltered = _filters.Begin(live);
        if (!isFiltered)
        {
            PlanTurns(live, filter: null, messagesEach: int.MaxValue);
            if (_turns.Count == 0)
            {
                return false;
            }

            // With filters it stays set: the next room may be that of the only consumer that a message matches.
            dispatcher.WaitsForRoom = false;
        }

        _given.Clear();
        dispatcher.Held.BeginRound();
        try
        {
            await (isFiltered ? LeaseMatchingAsync(live) : LeaseTurnsAsync(live));
        }
        finally
        {
            if (_sharesCredit)
            {
                EndPlans(live);
            }

            // Also where a later lease of the round failed: what is leased already must not be left lying.
            if (_given.Count > 0)
            {
                await new Round(store.Now, dispatcher.Settler, dispatcher.Held, memory).RunAsync([.. _given]);
            }

            dispatcher.Held.EndRound();
        }

        return _given.Count > 0;
    }

    /// <summary>
    /// Consumers with different filters: those with equal ones take turns among each other, and the groups one after the other, the one
    /// whose turn it is first. Each consumer gets one message a round, so that no group takes what the others would get.
    /// </summary>
    private async ValueTask LeaseMatchingAsync(Consumer[] live)
    {
        var each = _filters.Count == 1 ? int.MaxValue : 1;
        foreach (var filter in _filters.InTurn(live, FirstOf(live)))
        {
            PlanTurns(live, filter, each);
            if (_turns.Count == 0)
            {
                // No search in vain: the consumers have no room, or queues that share it come first.
                continue;
            }

            var began = dispatcher.Time.GetTimestamp();
            var given = _given.Count;
            await LeaseTurnsAsync(live);
            _filters.Searched(filter, found: _given.Count > given, began);
        }
    }

    private async ValueTask LeaseTurnsAsync(Consumer[] live)
    {
        var start = 0;
        while (start < _turns.Count)
        {
            var end = EndOfRun(start);
            if (await LeaseRunAsync(start, end, live) < end - start)
            {
                return;
            }

            start = end;
        }
    }

    /// <summary>Where the rotation continues. If the last consumer that was served has left, the one behind it has its index.</summary>
    private int FirstOf(Consumer[] live)
    {
        var last = _last is null ? -1 : Array.IndexOf(live, _last);
        return last >= 0 ? last + 1 : _lastIndex;
    }

    /// <param name="live">The consumers.</param>
    /// <param name="filter">The filter of those whose turns are planned.</param>
    /// <param name="messagesEach">How many messages each may get.</param>
    private void PlanTurns(Consumer[] live, MessageFilter? filter, int messagesEach)
    {
        _turns.Clear();
        _room = 0;
        _consumersWithRoom = 0;
        _sharesCredit = false;
        foreach (var consumer in live)
        {
            _sharesCredit |= consumer.Member is not null;
            var room = Equals(consumer.Options.Filter, filter) ? consumer.Room : 0;
            consumer.Planned = consumer.Assigned?.Count ?? 0;
            _room += room;
            _consumersWithRoom += room > 0 ? 1 : 0;
        }

        var first = FirstOf(live);
        _lastIndex = first;
        bool any;
        do
        {
            any = false;
            for (var i = 0; i < live.Length && _turns.Count < RoundLimits.MessagesMax; i++)
            {
                var consumer = live[(first + i) % live.Length];
                if (consumer.Planned < messagesEach && Equals(consumer.Options.Filter, filter) && consumer.TryPlan())
                {
                    _turns.Add(consumer);
                    any = true;
                }
            }
        }
        while (any && _turns.Count < RoundLimits.MessagesMax);
    }

    /// <summary>Returns the credit that consumers of streams over many queues reserved for more messages than there were.</summary>
    private static void EndPlans(Consumer[] live)
    {
        foreach (var consumer in live)
        {
            consumer.EndPlan();
        }
    }

    /// <summary>Turns that one lease request can serve: alike in ack mode, time to run and worker.</summary>
    private int EndOfRun(int start)
    {
        var first = _turns[start].Options;
        var end = start + 1;
        while (end < _turns.Count && AreLeasedAlike(_turns[end].Options, first))
        {
            end++;
        }

        return end;
    }

    private static bool AreLeasedAlike(ConsumerOptions one, ConsumerOptions other) =>
        one.Ack == other.Ack && one.Worker == other.Worker && (one.Ack == AckMode.Auto || one.TimeToRun == other.TimeToRun);

    /// <summary>
    /// Plans the turns again for messages that are leased already, because consumers joined or left after the first plan. A client that
    /// has seen its stream open expects its turn at the next messages. The first plan stays if the new one would need different leases.
    /// </summary>
    private void PlanAnew(int start, int count, Consumer[] live)
    {
        var planned = _turns.GetRange(start, count);
        var options = planned[0].Options;
        PlanTurns(live, filter: null, messagesEach: int.MaxValue);
        if (_turns.Count < count || !AreLeasedAlike(_turns[0].Options, options) || EndOfRun(0) < count)
        {
            _turns.Clear();
            _turns.AddRange(planned);
        }
    }

    /// <summary>Leases messages for the turns from start to end.</summary>
    /// <returns>How many messages there were; 0 if the round must end, because its plan is outdated.</returns>
    private async ValueTask<int> LeaseRunAsync(int start, int end, Consumer[] live)
    {
        var options = _turns[start].Options;
        var auto = options.Ack == AckMode.Auto;
        var request = new LeaseRequest(
            end - start,
            RoundLimits.BytesMax,
            auto ? null : options.TimeToRun,
            options.Worker,
            Delivery: auto,
            Streaming: true,
            Consumers: options.Filter is null ? _consumersWithRoom : 0,
            Room: options.Filter is null ? _room - start : 0,
            Selection: Selection.Where(options.Filter));
        var leased = await store.LeaseAsync(dispatcher.Queue, request);
        if (!leased.Ok)
        {
            if (leased.Error != QueueError.QueueStopped && store.UnavailableReason is null)
            {
                // A temporary refusal, whose end has no event. A store that is out of reach reports when it is back.
                dispatcher.SignalSoon();
            }

            return 0;
        }

        dispatcher.Counts.AddDelivered(leased.Value.Count);
        var now = dispatcher.Live();
        var isOutdated = now != live && leased.Value.Count > 0 && options.Filter is null
            && !Array.Exists(now, static consumer => consumer.Member is not null || consumer.Options.Filter is not null);
        if (isOutdated)
        {
            PlanAnew(start, leased.Value.Count, now);
            start = 0;
        }

        for (var i = 0; i < leased.Value.Count; i++)
        {
            MessageTracing.HandedOut(leased.Value[i].Message, "push", auto ? default : leased.Value[i].Receipt);
            var consumer = _turns[start + i];
            if (consumer.Assigned is not { Count: > 0 })
            {
                consumer.Assigned ??= [];
                _given.Add(consumer);
            }

            consumer.Assigned.Add(leased.Value[i]);
            _last = consumer;
            NotifyWatchers(leased.Value[i].Message, consumer);
        }

        return isOutdated ? 0 : leased.Value.Count;
    }

    private void NotifyWatchers(Message message, Consumer consumer)
    {
        if (tails.Watches(dispatcher.Queue))
        {
            tails.OnHandedOut(message, string.Create(
                CultureInfo.InvariantCulture, $"{consumer.Options.Worker ?? consumer.Buffer.Connection.Transport} #{consumer.Number}"));
        }
    }

    private sealed class Round(DateTimeOffset now, LeaseSettler settler, HeldLeases held, MemoryBudget memory) : FanOut(memory)
    {
        protected override void Give(Consumer consumer)
        {
            var leases = consumer.Assigned!;
            consumer.Assigned = null;
            var manual = consumer.Options.Ack == AckMode.Manual;
            var keys = new LeaseKey[leases.Count];
            var messages = new PushedMessage[leases.Count];
            for (var i = 0; i < keys.Length; i++)
            {
                var message = leases[i].Message;
                keys[i] = new LeaseKey(message.Id, leases[i].Receipt);
                messages[i] = new PushedMessage(message, BodyKinds.Of(message), string.Empty, manual ? leases[i].Receipt : default, now);
            }

            consumer.OnPushed(keys.Length, manual);
            IWriteObserver observer;
            if (manual)
            {
                observer = new HeldPage(held.Add(consumer, keys));
                Interlocked.MemoryBarrier();
                if (consumer.HasLeft)
                {
                    // It left before its leases were noted; from here on its removal finds them.
                    GiveBack(consumer, keys);
                    return;
                }
            }
            else
            {
                observer = new PushedLeases(consumer, keys, settler);
            }

            var page = consumer.Format.Encode(messages);
            var outcome = consumer.Buffer.Offer(page, consumer, observer);
            if (manual && outcome is (OfferOutcome.Closed or OfferOutcome.Full))
            {
                GiveBack(consumer, keys);
            }
        }

        private void GiveBack(Consumer consumer, LeaseKey[] keys)
        {
            var taken = held.Take(consumer, keys);
            consumer.GiveBackCredit(taken.Length);
            settler.GiveBack(taken, BrokenConnection.NotBegun);
        }
    }
}
