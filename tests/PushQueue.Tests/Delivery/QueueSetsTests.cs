using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;
using Xunit;

namespace PushQueue.Tests.Delivery;

/// <summary>Streams over many queues at awkward moments: while a queue joins, fails, or loses its right.</summary>
public sealed class QueueSetsTests : IAsyncLifetime
{
    private static readonly QueueName One = QueueName.Parse("m.1");
    private static readonly QueueName Two = QueueName.Parse("m.2");

    private readonly TemporaryDirectory _directory = new();
    private readonly VerifyingLogger _log = new();
    private readonly MessageMeter _meter = new(TimeProvider.System);
    private readonly ConsumerRegistry _registry = new();
    private readonly EmbeddedMessageStore _embedded;
    private readonly IMessageStore _store;
    private readonly Dispatcher _dispatcher;
    private readonly QueueSets _sets;

    public QueueSetsTests()
    {
        _embedded = new EmbeddedMessageStore(
            new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory }, TimeProvider.System, _log);
        _store = GatedStore.Over(_embedded);
        (_dispatcher, _sets) = Over(_store);
    }

    public async ValueTask InitializeAsync() => await _embedded.OpenAsync(_dispatcher, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _dispatcher.DrainAsync(TimeSpan.Zero).WithTimeout();
        await _embedded.DisposeAsync();
        _meter.Dispose();
        _directory.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task A_queue_that_is_made_again_while_it_joins_joins_all_the_same()
    {
        var stream = await OpenAsync(new Client());
        var looking = GatedStore.HoldNextLook(_store, One);
        _sets.OnMade(One);
        await looking.WithTimeout();

        await PutAsync(One, "of the new one");
        _sets.OnMade(One);
        GatedStore.Release(_store);

        await stream.GotAsync("of the new one");
    }

    [Fact]
    public async Task A_queue_that_cannot_be_read_leaves_with_a_reason_and_the_others_stay()
    {
        await BroadcastAsync(One, "unreadable");
        await BroadcastAsync(Two, "two");
        var (dispatcher, sets) = Over(FaultyQueue.Over(_store, One, nameof(IMessageStore.ReadHistoryAsync)));
        _log.ExpectError("(delivery) failed for queue m.1");

        var stream = await OpenAsync(new Client(), ConsumerOptions.Default with { From = StartPosition.Earliest }, sets);

        await stream.GotAsync("two");
        await stream.GotAsync("close m.1 server-error");
        await Eventually.TrueAsync(() => stream.Set.Count == 1, "the queue has left the stream");
        Assert.Null(stream.Ended);
        Assert.Equal(Two, stream.Set.Members[0].Queue);

        // A look at all names does not bring it back: its next message finds no consumer, that of the other queue does.
        sets.OnResumed();
        await PutAsync(QueueName.Parse("m.3"), "three");
        sets.OnMade(QueueName.Parse("m.3"));
        await stream.GotAsync("subscribed m.3");
        Assert.Equal(0, dispatcher.CountConsumers(One));
        await dispatcher.DrainAsync(TimeSpan.Zero).WithTimeout();
    }

    [Fact]
    public async Task A_queue_that_loses_its_right_while_it_joins_leaves()
    {
        var client = new Client();
        var stream = await OpenAsync(client);
        await PutAsync(One, "secret");
        var looking = GatedStore.HoldNextLook(_store, One);
        _sets.OnMade(One);
        await looking.WithTimeout();

        client.Forbidden = One;
        _dispatcher.EndWhatIsForbidden(client.Buffer);
        GatedStore.Release(_store);

        await stream.GotAsync("close m.1 access-ended");
        await Eventually.TrueAsync(
            () => _dispatcher.CountConsumers(One) == 0 && stream.Set.Count == 0, "the queue has left the stream");
    }

    [Fact]
    public async Task A_queue_whose_subscription_an_operator_ended_stays_out_until_it_is_made_again()
    {
        await PutAsync(One, "one");
        var stream = await OpenAsync(new Client { Multiplexed = true });
        await stream.GotAsync("one");

        Assert.True(_dispatcher.Disconnect(One, Assert.Single(_dispatcher.ListConsumers(One)).Number));
        await stream.GotAsync("close m.1 disconnected");
        await PutAsync(Two, "two");
        _sets.OnResumed();

        // The look goes by name, so the first queue was passed over when the second one joins.
        await stream.GotAsync("two");
        Assert.Equal(0, _dispatcher.CountConsumers(One));
        _sets.OnMade(One);
        await stream.GotAsync("subscribed m.1");
    }

    [Fact]
    public async Task A_connection_that_ends_while_a_stream_over_many_queues_opens_keeps_no_consumer()
    {
        await PutAsync(One, "one");
        await PutAsync(Two, "two");
        var client = new Client();
        var looking = GatedStore.HoldNextLook(_store, One);
        var opening = OpenAsync(client);
        await looking.WithTimeout();

        await client.EndAsync(_dispatcher);
        GatedStore.Release(_store);
        _ = await opening.WithTimeout();

        Assert.Equal(0, _registry.Consumers);
        _sets.OnMade(QueueName.Parse("m.3"));
        Assert.Null(client.Buffer.Set);
    }

    [Fact]
    public async Task A_connection_that_ends_while_a_consumer_joins_keeps_no_consumer_and_no_name()
    {
        var options = ConsumerOptions.Default with { Instance = "page" };
        var client = new Client();
        _registry.Add(client.Buffer);
        var names = new List<string>();
        _dispatcher.InstanceCame = (_, name) => names.Add(name);
        var looking = GatedStore.HoldNextLook(_store, One);
        var joining = _dispatcher.SubscribeAsync(One, client.Buffer, LineFormat.Envelopes, options).AsTask();
        await looking.WithTimeout();

        await client.EndAsync(_dispatcher);
        GatedStore.Release(_store);
        var late = await joining.WithTimeout();
        var next = new Client();
        _registry.Add(next.Buffer);
        _ = await _dispatcher.SubscribeAsync(One, next.Buffer, LineFormat.Envelopes, options).AsTask().WithTimeout();

        Assert.True(late.HasLeft);
        Assert.Equal(1, _dispatcher.CountConsumers(One));
        Assert.Equal(1, _registry.Consumers);

        // Other nodes are asked for the name again, because no stream here has it.
        Assert.Equal(["page", "page"], names);
    }

    [Fact]
    public async Task A_consumer_of_a_closed_connection_does_not_stay()
    {
        var client = new Client();
        _registry.Add(client.Buffer);
        await client.EndAsync(_dispatcher);

        var consumer = await _dispatcher.SubscribeAsync(One, client.Buffer, LineFormat.Envelopes, ConsumerOptions.Default)
            .AsTask().WithTimeout();
        var opening = await _sets.OpenAsync(client.Buffer, RequestFor(ConsumerOptions.Default)).AsTask().WithTimeout();

        Assert.True(consumer.HasLeft);
        Assert.Null(opening.Set);
        Assert.Equal(0, _registry.Consumers);
    }

    [Fact]
    public async Task A_stream_keeps_no_cursor_once_it_is_open()
    {
        var client = new Client();
        _registry.Add(client.Buffer);

        var cursor = await OpenWithCursorAsync(client);

        await Eventually.TrueAsync(
            () =>
            {
                GC.Collect();
                return !cursor.IsAlive;
            },
            "the cursor is collected");
        Assert.NotNull(client.Buffer.Set);
    }

    [Fact]
    public async Task A_queue_that_yields_its_turn_at_each_ack_arms_one_timer()
    {
        var time = new CountingTime();
        var (dispatcher, sets) = Over(_store, time);
        await PutAsync(One, "one");
        await PutAsync(Two, "two");
        var options = ConsumerOptions.Default with { Prefetch = 1 };
        var stream = await OpenAsync(new Client(), options, sets);
        var (busy, quiet) = (stream.Set.Members[0].Consumer!, stream.Set.Members[1].Consumer!);
        var credit = stream.Set.Credit;
        Assert.True(credit.TryTake(busy));
        Assert.False(credit.TryTake(quiet));
        credit.GiveBack(1);
        var before = time.Timers;

        for (var i = 0; i < 100; i++)
        {
            Assert.False(credit.TryTake(busy));
        }

        Assert.Equal(before + 1, time.Timers);
        Assert.True(credit.TryTake(quiet));
        await dispatcher.DrainAsync(TimeSpan.Zero).WithTimeout();
    }

    [Fact]
    public async Task A_search_that_found_nothing_wakes_the_queues_that_wait_for_its_room_and_not_itself()
    {
        await PutAsync(One, "one");
        await PutAsync(Two, "two");
        var stream = await OpenAsync(new Client(), ConsumerOptions.Default with { Prefetch = 10 });
        await stream.GotAsync("one");
        await stream.GotAsync("two");
        var (searching, waiting) = (stream.Set.Members[0].Consumer!, stream.Set.Members[1].Consumer!);
        var credit = stream.Set.Credit;
        for (var i = 0; i < 10; i++)
        {
            Assert.True(credit.TryTake(searching));
        }

        // As in a round: it plans until there is no more room, and searches with filters stay open for room.
        Assert.False(credit.TryTake(searching));
        Assert.False(credit.TryTake(waiting));
        searching.Dispatcher!.WaitsForRoom = waiting.Dispatcher!.WaitsForRoom = true;
        credit.EndTurn(searching, unused: 10);

        // A search that woke itself would be followed by another one for ever.
        Assert.True(searching.Dispatcher.WaitsForRoom);
        Assert.False(waiting.Dispatcher.WaitsForRoom);
        Assert.Equal(10, credit.Free);
    }

    /// <summary>Apart, so that no variable of the test holds the cursor.</summary>
    private async Task<WeakReference> OpenWithCursorAsync(Client client)
    {
        var request = RequestFor(ConsumerOptions.Default);
        Assert.True(SetCursor.TryParse(SetCursor.Encode(request.Selection.Id, []), out var cursor));
        _ = await _sets.OpenAsync(client.Buffer, request with { Cursor = cursor }).AsTask().WithTimeout();
        client.Buffer.Open();
        return new WeakReference(cursor);
    }

    private static SetRequest RequestFor(ConsumerOptions options, SetCursor? cursor = null, int room = 1000) => new(
        QueueSelection.Create([], ["m.*"], out _)!, ManyFormat.Lines, options, cursor, static _ => new ValueTask<bool>(true), () => room);

    private (Dispatcher Dispatcher, QueueSets Sets) Over(IMessageStore store, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        var dispatcher = new Dispatcher(
            store, _registry, TestPolicies.All(store, _registry, time), time, _log.CreateLogger<Dispatcher>(), _meter);
        return (dispatcher, new QueueSets(dispatcher, store, time, _log.CreateLogger<QueueSets>(), _meter));
    }

    private async Task<Client> OpenAsync(Client client, ConsumerOptions? options = null, QueueSets? sets = null)
    {
        _registry.Add(client.Buffer);
        var opening = await (sets ?? _sets).OpenAsync(client.Buffer, RequestFor(options ?? ConsumerOptions.Default))
            .AsTask().WithTimeout();
        client.Set = opening.Set!;
        client.Buffer.Open(opening.Set is null ? null : opening.Page);
        return client;
    }

    private async Task BroadcastAsync(QueueName queue, string body)
    {
        await PutAsync(queue, body);
        Assert.Single(await _embedded.BroadcastAsync(queue, 10, 1000));
    }

    private async Task PutAsync(QueueName queue, string body) => Assert.True(
        (await _embedded.PutAsync(queue, new NewMessage { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain" })
            .WithTimeout()).Ok);

    /// <summary>A clock that stands still and counts its timers.</summary>
    private sealed class CountingTime : TimeProvider
    {
        private int _timers;

        public int Timers => Volatile.Read(ref _timers);

        public override long GetTimestamp() => 1;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _ = Interlocked.Increment(ref _timers);
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>A client that takes everything at once, and remembers bodies and events with their queues.</summary>
    private sealed class Client : IConsumerConnection, IConsumerRights
    {
        private readonly Lock _gate = new();
        private readonly List<string> _got = [];
        private QueueName? _forbidden;

        public Client() => Buffer = new OutboundBuffer(this, new CoarseClock(), new DeliveryOptions());

        public OutboundBuffer Buffer { get; }

        public QueueSet Set { get; set; } = null!;

        public CloseReason? Ended { get; private set; }

        public QueueName? Forbidden
        {
            get => _forbidden;
            set
            {
                _forbidden = value;
                Version++;
            }
        }

        public int Version { get; private set; }

        public bool MayStay => true;

        public string Transport => "test";

        public string? RemoteAddress => null;

        public MessageFormat ControlFormat => ManyFormat.Lines;

        public bool Multiplexed { get; init; }

        public int? LastHeardAt => null;

        public IConsumerRights Rights => this;

        public bool MayListen(QueueName queue) => queue != _forbidden;

        public Task EndAsync(Dispatcher dispatcher) => dispatcher.EndAsync(Buffer).WithTimeout();

        public Task GotAsync(string text) => Eventually.TrueAsync(
            () =>
            {
                lock (_gate)
                {
                    return _got.Contains(text);
                }
            },
            $"the client got: {text}");

        public ValueTask WriteAsync(EncodedPage page) => WriteAsync([page]);

        public ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
        {
            lock (_gate)
            {
                foreach (var line in pages.SelectMany(
                    static page => Encoding.UTF8.GetString(page.Bytes.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries)))
                {
                    using var json = JsonDocument.Parse(line);
                    _got.Add(Describe(json.RootElement));
                }
            }

            return default;
        }

        public void Complete(CloseReason reason) => Ended = reason;

        public void Abort(CloseReason reason) => Ended = reason;

        private static string Describe(JsonElement line)
        {
            if (!line.TryGetProperty("event", out var name))
            {
                return line.GetProperty("body").GetString()!;
            }

            var queue = line.TryGetProperty("queue", out var of) ? of.GetString() : "";
            return line.TryGetProperty("code", out var code) ? $"{name} {queue} {code}" : $"{name} {queue}";
        }
    }
}
