using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// Gives out one queue's messages while the queue has consumers on this node. An actor: events set a signal, signals coalesce, and one loop
/// runs at a time. Owns which consumers are live and which offset they get next; the policies decide the rest.
/// Its lock guards the members only and is never held over a call to the store or to a buffer.
/// </summary>
internal sealed partial class QueueDispatcher : IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int Signalled = 2;

    private static readonly TimeSpan RetryAfterFailure = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly IMessageStore _store;
    private readonly TimeProvider _time;
    private readonly FaultBorder _faults;
    private readonly MemoryBudget _memory;
    private readonly Action<QueueDispatcher> _onRetired;
    private readonly Dictionary<DeliveryPolicy, IDispatchPolicy> _policies;
    private readonly List<Consumer> _members = [];
    private Consumer[] _live = [];
    private TaskCompletionSource? _advanced;
    private volatile QueueSettings? _settings;
    private Task _loaded;
    private string _epoch = string.Empty;
    private long _nextOffset = 1;
    private int _consumers;
    private int _connected;
    private int _liveGone;
    private int _state;
    private bool _liveChanged;
    private bool _retired;
    private bool _isFeeding;
    private bool _failing;
    private DeliveryPolicy? _announcedPolicy;
    private volatile bool _waitsForRoom;
    private volatile bool _paused;

    public QueueDispatcher(
        QueueName queue,
        IMessageStore store,
        IEnumerable<IDispatchPolicyFactory> policies,
        TimeProvider time,
        FaultBorder faults,
        DeliveryCounts counts,
        MemoryBudget memory,
        Action<QueueDispatcher> onRetired)
    {
        _memory = memory;
        Counts = counts;
        Queue = queue;
        _store = store;
        _time = time;
        _faults = faults;
        _onRetired = onRetired;
        Settler = new LeaseSettler(queue, store, time, faults);
        _policies = policies.ToDictionary(static factory => factory.Name, factory => factory.Create(this));
        _loaded = LoadAsync();
    }

    public QueueName Queue { get; }

    /// <summary>The node's clock, for waits.</summary>
    public TimeProvider Time => _time;

    public DeliveryCounts Counts { get; }

    public HeldLeases Held { get; } = new();

    /// <summary>Ends the leases of the queue's consumers; they may outlive the policy under which they were given.</summary>
    public LeaseSettler Settler { get; }

    /// <summary>Set by a policy that found no consumer with room; the next consumer with room then signals.</summary>
    public bool WaitsForRoom
    {
        get => _waitsForRoom;
        set => _waitsForRoom = value;
    }

    /// <summary>Completes when settings and position are known.</summary>
    public Task Loaded => Volatile.Read(ref _loaded);

    /// <summary>Whether no consumer is left and no round runs any more: the queue's next consumer gets another dispatcher.</summary>
    public bool IsRetired
    {
        get
        {
            lock (_gate)
            {
                return _retired;
            }
        }
    }

    /// <summary>The epoch as far as it is known here; empty where the queue has not been seen yet.</summary>
    public string Epoch => Volatile.Read(ref _epoch);

    public bool IsRoundRobin => _settings?.EffectivePolicy == DeliveryPolicy.RoundRobin;

    /// <summary>Whether a message that is put now goes to live consumers in the next round. False while they lack room.</summary>
    public bool PushesNow =>
        !_waitsForRoom
        && !_paused
        && _settings is { Stopped: false, EffectivePolicy: DeliveryPolicy.Broadcast }
        && !_memory.IsExceeded
        && Live().Length > 0;

    public long NextOffset
    {
        get
        {
            lock (_gate)
            {
                return _nextOffset;
            }
        }
    }

    /// <summary>Counts a consumer in. False where the dispatcher was given up meanwhile and a new one is needed.</summary>
    public bool TryEnter(Consumer consumer)
    {
        lock (_gate)
        {
            if (_retired)
            {
                return false;
            }

            _consumers++;
            _connected++;
            consumer.Dispatcher = this;
            return true;
        }
    }

    /// <summary>
    /// The queue feeds others: ready messages go to history although no consumer listens. False as for <see cref="TryEnter"/>.
    /// </summary>
    public bool TryFeed()
    {
        lock (_gate)
        {
            if (_retired)
            {
                return false;
            }

            _isFeeding = true;
        }

        Signal();
        return true;
    }

    /// <summary>
    /// Whether a round is due although no consumer listens. Asked before the round: messages that become ready meanwhile set it again.
    /// </summary>
    public bool ConsumeFeeding()
    {
        lock (_gate)
        {
            var wasFeeding = _isFeeding;
            _isFeeding = false;
            return wasFeeding;
        }
    }

    /// <summary>Takes part in rounds from the next one on.</summary>
    public void GoLive(Consumer consumer)
    {
        lock (_gate)
        {
            JoinLocked(consumer);
        }

        Signal();
    }

    /// <summary>
    /// Takes part in rounds from the next one on, if that one begins with the expected offset: the seam between history and live. Else
    /// a task to wait for, where the consumer is ahead of the round that is about to be handed out.
    /// </summary>
    public bool TryGoLive(Consumer consumer, string epoch, long expectedOffset, out Task? ahead)
    {
        ahead = null;
        lock (_gate)
        {
            if (expectedOffset == _nextOffset && (epoch == _epoch || _epoch.Length == 0))
            {
                JoinLocked(consumer);
            }
            else if (expectedOffset > _nextOffset)
            {
                _advanced ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                ahead = _advanced.Task;
            }
            else
            {
                return false;
            }
        }

        if (ahead is not null)
        {
            // History contains it, so a node has broadcast it.
            OnBroadcast(expectedOffset);
            return false;
        }

        Signal();
        return true;
    }

    /// <summary>
    /// A stream over many queues has no room for messages that are being given out: its consumer leaves the rounds and reads on from
    /// history at the first of them.
    /// </summary>
    public void FallBehind(Consumer consumer, string epoch, long offset)
    {
        lock (_gate)
        {
            _ = _members.Remove(consumer);
            _liveChanged = true;
        }

        consumer.CatchUpOffset = offset;
        _ = new CatchUp(consumer, this, _store, _time).ContinueAsync(epoch, offset, _faults);
    }

    public void Leave(Consumer consumer)
    {
        lock (_gate)
        {
            consumer.HasLeft = true;
            _liveChanged = true;

            // The list is cleaned by the next round; here only where it would otherwise keep many that left while nothing is sent.
            if (++_liveGone > 64 && _liveGone * 2 > _members.Count)
            {
                CleanLocked();
            }

            _connected--;
        }

        Signal();
    }

    /// <summary>A consumer that left holds nothing any more; this dispatcher need not stay for it.</summary>
    public void Exit()
    {
        lock (_gate)
        {
            _consumers--;
        }

        Signal();
    }

    /// <summary>How many consumers are connected on this node.</summary>
    public int Connected
    {
        get
        {
            lock (_gate)
            {
                return _connected;
            }
        }
    }

    /// <summary>The live consumers, in the order of the rotation. The array is never changed.</summary>
    public Consumer[] Live()
    {
        lock (_gate)
        {
            return LiveLocked();
        }
    }

    /// <summary>Says which offset comes next, and gives those who get the ones before it.</summary>
    public Consumer[] AdvanceTo(long nextOffset)
    {
        TaskCompletionSource? advanced;
        Consumer[] live;
        lock (_gate)
        {
            _nextOffset = nextOffset;
            advanced = _advanced;
            _advanced = null;
            live = LiveLocked();
        }

        advanced?.SetResult();
        return live;
    }

    /// <summary>The queue's epoch; read again where the queue was made after its first consumer came.</summary>
    public async ValueTask<string> EpochAsync()
    {
        if (_epoch.Length == 0 && await _store.GetQueueAsync(Queue) is { } info)
        {
            _epoch = info.Position.Epoch;
        }

        return _epoch;
    }

    public void OnRoom()
    {
        if (_waitsForRoom)
        {
            _waitsForRoom = false;
            Signal();
        }
    }

    public void OnSettingsChanged(QueueSettings settings)
    {
        lock (_gate)
        {
            _settings = settings;
            _settingsChanges++;
        }

        Signal();
    }

    /// <summary>No new rounds: the node is stopping.</summary>
    public void Pause() => _paused = true;

    /// <summary>Looks again in a second, for changes without an event.</summary>
    public void SignalSoon() => SignalIn(TimeSpan.FromSeconds(1));

    /// <summary>Looks again after a time, for changes without an event.</summary>
    public void SignalIn(TimeSpan delay) => _ = SignalInAsync(delay);

    private async Task SignalInAsync(TimeSpan delay)
    {
        await Task.Delay(delay, _time);
        Signal();
    }

    public void Signal()
    {
        if (Interlocked.Exchange(ref _state, Signalled) == Idle)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        do
        {
            // A full fence: what a round reads must not be older than the signal that this takes back.
            _ = Interlocked.Exchange(ref _state, Running);
            try
            {
                await Loaded;
                while (await RunRoundAsync())
                {
                }

                _failing = false;
            }
            catch (Exception e)
            {
                // The border of this loop: a store that fails is tried again as long as there are consumers. It is logged once,
                // and a store out of reach says so itself.
                if (e is not StoreUnavailableException)
                {
                    _faults.ReportOnce(Queue, e, isRepeated: _failing);
                }

                _failing = true;
                await Task.Delay(RetryAfterFailure, _time);
                _loaded = _loaded.IsFaulted ? LoadAsync() : _loaded;
                Volatile.Write(ref _state, Signalled);
            }

            if (TryRetire())
            {
                _onRetired(this);
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _state, Idle, Running) != Running);
    }

    /// <summary>
    /// Gives this dispatcher up if no consumer is left. Only here, between rounds: a round that runs on after the last consumer has gone
    /// must not race a successor's first one for the same offsets.
    /// </summary>
    private bool TryRetire()
    {
        lock (_gate)
        {
            return _retired = _consumers == 0 && !_isFeeding;
        }
    }

    private async ValueTask<bool> RunRoundAsync()
    {
        if (_lookAgain)
        {
            await LookAgainNowAsync();
        }

        if (_memory.IsExceeded)
        {
            // Connections are being cut; nothing reports the end of that.
            SignalSoon();
            return false;
        }

        if (_paused || _settings!.Stopped)
        {
            return false;
        }

        var current = _policies[_settings.EffectivePolicy];
        if (_settings.EffectivePolicy != DeliveryPolicy.Broadcast)
        {
            _ = ConsumeFeeding();
        }

        foreach (var policy in _policies.Values)
        {
            if (policy != current && await policy.FinishAsync())
            {
                return true;
            }
        }

        await SendCursorsAsync(_settings.EffectivePolicy);
        return await current.RunRoundAsync();
    }

    /// <summary>
    /// A queue that turns from roundrobin to broadcast: its streams learn where they stand before the first message, as every broadcast
    /// stream does when it opens. A connection of many subscriptions has the cursor in the answer to each.
    /// </summary>
    private async ValueTask SendCursorsAsync(DeliveryPolicy policy)
    {
        var before = _announcedPolicy;
        _announcedPolicy = policy;
        if (before != DeliveryPolicy.RoundRobin || policy != DeliveryPolicy.Broadcast)
        {
            return;
        }

        var cursor = Cursor.Of(await EpochAsync(), NextOffset - 1);
        foreach (var consumer in Live())
        {
            if (!consumer.Buffer.Connection.Multiplexed
                && consumer.Member is null
                && consumer.Format.EncodeOpening(Queue, new Opening(cursor, Place: null)) is { } page)
            {
                _ = consumer.Buffer.Offer(page, consumer);
            }
        }
    }

    private async Task LoadAsync()
    {
        var info = await _store.GetQueueAsync(Queue);
        lock (_gate)
        {
            _epoch = info?.Position.Epoch ?? string.Empty;
            _nextOffset = info?.Position.NextOffset ?? 1;
        }

        // A change that was notified meanwhile is newer than what was read.
        lock (_gate)
        {
            _settings ??= info?.Settings ?? QueueSettings.Default;
            _announcedPolicy ??= _settings.EffectivePolicy;
        }
    }

    private void JoinLocked(Consumer consumer)
    {
        if (!consumer.HasLeft)
        {
            consumer.JoinedAt = new Cursor(_epoch, _nextOffset - 1);
            _members.Add(consumer);
            _liveChanged = true;
        }
    }

    private Consumer[] LiveLocked()
    {
        if (_liveChanged)
        {
            CleanLocked();
            _live = [.. _members];
            _liveChanged = false;
        }

        return _live;
    }

    private void CleanLocked()
    {
        _ = _members.RemoveAll(consumer => consumer.HasLeft);
        _liveGone = 0;
    }
}
