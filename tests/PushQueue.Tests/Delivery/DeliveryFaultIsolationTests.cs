using System.Text;
using Microsoft.Extensions.Logging;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;
using Xunit;

namespace PushQueue.Tests.Delivery;

/// <summary>
/// One queue or connection has a fault: it is logged and counted, the others are served, and the queue is tried again.
/// </summary>
public sealed class DeliveryFaultIsolationTests : IAsyncLifetime
{
    private static readonly QueueName Bad = QueueName.Parse("bad");
    private static readonly QueueName Good = QueueName.Parse("good");

    private readonly TemporaryDirectory _directory = new();
    private readonly VerifyingLogger _log = new();
    private readonly TestTimeProvider _time = new();
    private readonly MessageMeter _meter = new(TimeProvider.System);
    private readonly ErrorCounts _errors;
    private readonly EmbeddedMessageStore _store;

    public DeliveryFaultIsolationTests()
    {
        _errors = new ErrorCounts(_meter);
        _store = new EmbeddedMessageStore(
            new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory }, TimeProvider.System, _log);
    }

    public async ValueTask InitializeAsync() => await _store.OpenAsync(new RecordingListener(), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _errors.Dispose();
        _meter.Dispose();
        _directory.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task A_settler_whose_queue_fails_tries_again_and_keeps_nobody_else_waiting()
    {
        var store = FaultyQueue.Over<IMessageStore>(_store, Bad, nameof(IMessageStore.AckAsync), nameof(IMessageStore.ReleaseAsync));
        var faults = new FaultBorder("delivery", _log.CreateLogger("delivery"), _meter);
        var (bad, good) = (new LeaseSettler(Bad, store, _time, faults), new LeaseSettler(Good, store, _time, faults));
        _log.ExpectError("(delivery) failed for queue bad");

        bad.Ack([await LeaseAsync(Bad)]);
        bad.GiveBack([await LeaseAsync(Bad)], new ReleaseRequest());
        good.Ack([await LeaseAsync(Good)]);
        await good.WhenSettled().WithTimeout();

        Assert.Equal(0, (await _store.GetQueueAsync(Good))!.Leased);
        await Eventually.TrueAsync(() => _errors["delivery"] > 0, "the fault is counted");
        FaultyQueue.Mend(store);
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return bad.WhenSettled().IsCompleted;
            },
            "the faulty queue is settled");
        var info = (await _store.GetQueueAsync(Bad))!;
        Assert.Equal((0, 1), (info.Leased, info.Ready));
    }

    [Fact]
    public async Task A_consumer_that_cannot_catch_up_ends_with_a_reason_and_the_others_catch_up()
    {
        await BroadcastAsync(Bad);
        await BroadcastAsync(Good);
        var store = FaultyQueue.Over<IMessageStore>(_store, Bad, nameof(IMessageStore.ReadHistoryAsync));
        var registry = new ConsumerRegistry();
        var dispatcher = DispatcherOver(store, registry);
        _log.ExpectError("(delivery) failed for queue bad");
        var (bad, good) = (new Line(), new Line());

        await dispatcher.SubscribeAsync(Bad, bad.Open(registry), LineFormat.Envelopes, FromTheBeginning).WithTimeout();
        await dispatcher.SubscribeAsync(Good, good.Open(registry), LineFormat.Envelopes, FromTheBeginning).WithTimeout();

        await Eventually.TrueAsync(
            () => good.Text.Contains("\"body\":\"one\"", StringComparison.Ordinal), "the healthy queue's history comes");
        await Eventually.TrueAsync(() => bad.Ended is not null, "the other stream ends");
        Assert.Equal(CloseReason.ServerError, bad.Ended);
        Assert.Null(good.Ended);
        Assert.Equal(1, _errors["delivery"]);
        await dispatcher.DrainAsync(TimeSpan.Zero).WithTimeout();
    }

    [Fact]
    public async Task A_connection_that_fails_at_its_tick_costs_no_other_connection_its_ticks()
    {
        var registry = new ConsumerRegistry();
        var dispatcher = DispatcherOver(_store, registry);
        var (before, failing, after) = (new Line(), new Line { FailsAtTick = true }, new Line());
        _ = (before.Open(registry), failing.Open(registry), after.Open(registry));
        _log.ExpectError("(connection-watch) failed");
        using var stopping = new CancellationTokenSource();
        var watch = new ConnectionWatch(registry, dispatcher, new CoarseClock(), _time, _log.CreateLogger<ConnectionWatch>(), _meter);

        var watching = watch.RunAsync(stopping.Token);
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return before.Ticks >= 3 && failing.Ticks >= 3 && after.Ticks >= 3;
            },
            "all connections are watched, the failing one too");
        await stopping.CancelAsync();
        await watching.WithTimeout();

        Assert.True(_errors["connection-watch"] >= 3);
    }

    private static ConsumerOptions FromTheBeginning { get; } = ConsumerOptions.Default with { From = StartPosition.Earliest };

    private Dispatcher DispatcherOver(IMessageStore store, ConsumerRegistry registry) => new(
        store,
        registry,
        TestPolicies.All(store, registry, TimeProvider.System),
        TimeProvider.System,
        _log.CreateLogger<Dispatcher>(),
        _meter);

    private async Task<LeaseKey> LeaseAsync(QueueName queue)
    {
        await PutAsync(queue);
        var lease = Assert.Single((await _store.LeaseAsync(queue, new LeaseRequest(1, 1000, TimeToRun: null))).Value);
        return new LeaseKey(lease.Message.Id, lease.Receipt);
    }

    private async Task BroadcastAsync(QueueName queue)
    {
        await PutAsync(queue);
        Assert.Single(await _store.BroadcastAsync(queue, 10, 1000));
    }

    private async Task PutAsync(QueueName queue) => Assert.True(
        (await _store.PutAsync(queue, new NewMessage { Body = Encoding.UTF8.GetBytes("one"), ContentType = "text/plain" })
            .WithTimeout()).Ok);

    /// <summary>A connection that keeps what is written to it and counts its ticks.</summary>
    private sealed class Line : IConsumerConnection
    {
        private readonly StringBuilder _text = new();
        private int _ticks;

        public bool FailsAtTick { get; init; }

        public int Ticks => Volatile.Read(ref _ticks);

        public volatile CloseReason? Ended;

        public string Transport => "test";

        public string? RemoteAddress => null;

        public MessageFormat ControlFormat => LineFormat.Envelopes;

        public bool Multiplexed => false;

        public int? LastHeardAt => null;

        public IConsumerRights Rights { get; } = new AllRights();

        public string Text
        {
            get
            {
                lock (_text)
                {
                    return _text.ToString();
                }
            }
        }

        public OutboundBuffer Open(ConsumerRegistry registry)
        {
            var buffer = new OutboundBuffer(this, new CoarseClock(), new DeliveryOptions());
            registry.Add(buffer);
            buffer.Open();
            return buffer;
        }

        public ValueTask WriteAsync(EncodedPage page) => WriteAsync([page]);

        public ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
        {
            lock (_text)
            {
                foreach (var page in pages)
                {
                    _ = _text.Append(Encoding.UTF8.GetString(page.Bytes.Span));
                }
            }

            return default;
        }

        public void Complete(CloseReason reason) => Ended = reason;

        public void Abort(CloseReason reason) => Ended = reason;

        public void OnTick()
        {
            _ = Interlocked.Increment(ref _ticks);
            if (FailsAtTick)
            {
                throw new InvalidOperationException("This connection is broken.");
            }
        }
    }
}
