using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;
using Xunit;

namespace PushQueue.Tests.Delivery;

public sealed class OutboundBufferTests
{
    private readonly Connection _connection = new();
    private readonly CoarseClock _clock = new();
    private readonly OutboundBuffer _buffer;

    public OutboundBufferTests()
    {
        _buffer = new OutboundBuffer(_connection, _clock, new DeliveryOptions { BufferBytesMax = 100 });
    }

    [Fact]
    public void An_idle_connection_is_written_at_once_and_a_held_one_not()
    {
        Assert.Equal(OfferOutcome.Queued, _buffer.Offer(Page('a')));
        Assert.Empty(_connection.Writes);

        _buffer.Open();
        Assert.Equal(OfferOutcome.Written, _buffer.Offer(Page('b')));

        Assert.Equal(["a10", "b10"], _connection.Writes);
    }

    [Fact]
    public void What_waits_for_a_pending_write_goes_out_in_one_write()
    {
        _buffer.Open();
        var pending = _connection.Block();
        _ = _buffer.Offer(Page('a'));
        _ = _buffer.Offer(Page('b'));
        _ = _buffer.Offer(Page('c'));
        Assert.Equal(20, _buffer.WaitingBytes);

        pending.SetResult();

        Assert.Equal(["a10", "b10+c10"], _connection.Writes);
        Assert.Equal(0, _buffer.WaitingBytes);
    }

    [Fact]
    public void A_full_buffer_closes_its_connection_with_the_reason_as_last_words()
    {
        _buffer.Open();
        var pending = _connection.Block();
        for (var i = 0; i < 11; i++)
        {
            Assert.Equal(OfferOutcome.Queued, _buffer.Offer(Page('a'), evenIfFull: false));
        }

        Assert.Equal(OfferOutcome.Full, _buffer.Offer(Page('b'), evenIfFull: false));
        Assert.Equal(OfferOutcome.Closed, _buffer.Offer(Page('c'), evenIfFull: false));
        pending.SetResult();

        Assert.Equal(2, _connection.Writes.Count);
        Assert.Equal(CloseReason.SlowConsumer, _connection.Completed);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 3)]
    [InlineData(true, 1)]
    [InlineData(true, 3)]
    public void What_is_dropped_is_told_as_one_gap(bool latest, int messagesPerPage)
    {
        var consumer = NewConsumer(latest ? OverflowPolicy.Latest : OverflowPolicy.DropOldest);
        _buffer.Open();
        var pending = _connection.Block();
        for (var page = 0; page < 40; page++)
        {
            var offset = (page * messagesPerPage) + 1;
            Assert.Equal(OfferOutcome.Queued, _buffer.Offer(Page('m', offset, offset + messagesPerPage - 1), consumer, evenIfFull: false));
        }

        pending.SetResult();

        var seen = _connection.Pages.Where(page => page.Droppable).ToList();
        Assert.Equal(1, seen[0].FirstOffset);
        for (var i = 1; i < seen.Count; i++)
        {
            Assert.Equal(seen[i - 1].LastOffset + 1, seen[i].FirstOffset);
        }

        Assert.Equal(40 * messagesPerPage, seen[^1].LastOffset);
        var gap = Assert.Single(seen, page => page.Length > 10);
        Assert.Contains(
            $"\"from\":{gap.FirstOffset},\"to\":{gap.LastOffset},\"count\":{gap.LastOffset - gap.FirstOffset + 1},\"cause\":\"overflow\"",
            System.Text.Encoding.UTF8.GetString(gap.Bytes.Span),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Latest_drops_all_that_waits_and_drop_oldest_keeps_the_newer_part()
    {
        Assert.Equal([(1, 1), (2, 11), (12, 12)], Overflowing(OverflowPolicy.Latest));
        Assert.Equal(
            [(1, 1), (2, 5), (6, 6), (7, 7), (8, 8), (9, 9), (10, 10), (11, 11), (12, 12)], Overflowing(OverflowPolicy.DropOldest));

        // The first is being written, ten fill the room, one is too many.
        (long First, long Last)[] Overflowing(OverflowPolicy policy)
        {
            var connection = new Connection();
            var buffer = new OutboundBuffer(connection, _clock, new DeliveryOptions { BufferBytesMax = 100 });
            var consumer = NewConsumer(policy);
            buffer.Open();
            var pending = connection.Block();
            for (var offset = 1; offset <= 12; offset++)
            {
                Assert.Equal(OfferOutcome.Queued, buffer.Offer(Page('m', offset, offset), consumer, evenIfFull: false));
            }

            pending.SetResult();
            return [.. connection.Pages.Select(page => (page.FirstOffset, page.LastOffset))];
        }
    }

    [Fact]
    public void A_cursor_whose_stream_has_ended_is_not_written()
    {
        var set = NewSet();
        Assert.True(_buffer.TryAttach(set));
        _buffer.Open();
        var pending = _connection.Block();
        _ = _buffer.Offer(Page('a'));
        _buffer.OfferCursor();

        _buffer.Detach(set);
        pending.SetResult();
        _buffer.OfferCursor();

        Assert.Equal(["a10"], _connection.Writes);
        Assert.Equal(OfferOutcome.Written, _buffer.Offer(Page('b')));
    }

    [Fact]
    public void Pages_of_other_subscriptions_bring_no_cursor_and_the_closing_notice_does()
    {
        var set = NewSet();
        var member = new SetMember(set, QueueName.Parse("a"), announced: null);
        Assert.True(set.TryAdd(member) && _buffer.TryAttach(set));
        _ = set.EncodeStart();
        set.Open();
        var consumer = new Consumer(1, member.Queue, _buffer, set.Format, ConsumerOptions.Default, default) { Member = member };
        var message = new EncodedPage(new byte[10], 1, 1);
        message.Reach("0000000a", 1);
        _buffer.Open();

        _ = _buffer.Offer(message, consumer);
        _ = _buffer.Offer(Page('b'));
        _ = _buffer.Offer(Page('c'));
        Assert.Equal(3, _connection.Pages.Count);
        _buffer.OfferCursor();
        Assert.Equal(4, _connection.Pages.Count);
        _ = _buffer.Offer(message, consumer);
        _buffer.Close(CloseReason.ServerShutdown, keepWaiting: true);

        Assert.Equal(7, _connection.Pages.Count);
        var last = _connection.Pages[^2..].Select(static page => System.Text.Encoding.UTF8.GetString(page.Bytes.Span)).ToArray();
        Assert.Contains("\"event\":\"cursor\"", last[0], StringComparison.Ordinal);
        Assert.Contains("\"event\":\"close\"", last[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_overflow_over_many_queues_frees_a_quarter_of_the_room_and_each_queue_has_its_gap(bool latest)
    {
        const int Room = 20_000;
        var overflow = latest ? OverflowPolicy.Latest : OverflowPolicy.DropOldest;
        var buffer = new OutboundBuffer(_connection, _clock, new DeliveryOptions { BufferBytesMax = Room });
        var queues = Enumerable.Range(0, 40).Select(static i => $"q{i}").ToArray();
        var set = new QueueSet(
            buffer, QueueSelection.Create(queues, [], out _)!, ManyFormat.Lines, ConsumerOptions.Default, TimeProvider.System);
        var consumers = set.Selection.Names.Select((queue, i) => new Consumer(
            i, queue, buffer, set.Format, ConsumerOptions.Default with { Overflow = overflow }, default)
        {
            Member = new SetMember(set, queue, announced: null),
        }).ToArray();
        Assert.True(buffer.TryAttach(set));
        buffer.Open();
        var pending = _connection.Block();
        _ = buffer.Offer(new EncodedPage(new byte[1]));
        for (var i = 0; i < Room / 100; i++)
        {
            _ = buffer.Offer(PageOf(i), consumers[i % 40], evenIfFull: false);
        }

        Assert.Equal(Room, buffer.WaitingBytes);
        _ = buffer.Offer(PageOf(Room / 100), consumers[0], evenIfFull: false);

        Assert.InRange(buffer.WaitingBytes, 0, (Room / 4 * 3) + 1_000);
        pending.SetResult();
        var pages = _connection.Pages.Where(static page => page.Droppable).ToList();
        Assert.InRange(pages.Count(static page => page.Length != 100), 1, 39);
        Assert.True(pages.Sum(static page => page.LastOffset - page.FirstOffset + 1) == (Room / 100) + 1, "No offset is left out.");

        EncodedPage PageOf(int i) => new(new byte[100], 1 + (i / 40), 1 + (i / 40));
    }

    [Fact]
    public void Observers_are_told_once_whatever_happens()
    {
        var written = new Observer();
        var dropped = new Observer();
        _buffer.Open();
        var pending = _connection.Block();
        _ = _buffer.Offer(Page('a'), null, written);
        _ = _buffer.Offer(Page('b'), null, dropped);

        _buffer.Close(CloseReason.QueueDeleted, keepWaiting: false);
        pending.SetResult();

        Assert.Equal((1, 0), (written.Written, written.NotWritten));
        Assert.Equal((0, 1), (dropped.Written, dropped.NotWritten));
    }

    [Fact]
    public async Task A_write_that_takes_too_long_gets_the_connection_cut()
    {
        _buffer.Open();
        var pending = _connection.Block();
        var waiting = new Observer();
        _ = _buffer.Offer(Page('a'));
        _ = _buffer.Offer(Page('b'), null, waiting);

        Assert.False(_buffer.Watch(9, out _));
        Assert.True(_buffer.Watch(10, out var reason));
        pending.SetException(new IOException("cut"));
        await _buffer.EndAsync();

        Assert.Equal(CloseReason.Stalled, reason);
        Assert.Equal(CloseReason.Stalled, _connection.Aborted);
        Assert.Equal(1, waiting.NotWritten);
    }

    [Fact]
    public void An_idle_connection_gets_a_heartbeat()
    {
        _buffer.Open();

        Assert.False(_buffer.Watch(14, out _));
        Assert.Empty(_connection.Writes);
        Assert.False(_buffer.Watch(15, out _));

        Assert.Equal(["\n1"], _connection.Writes);
    }

    [Fact]
    public void Memory_counts_a_waiting_page_once_and_a_pending_write_for_each_connection()
    {
        var memory = new MemoryBudget(1000);
        var registry = new ConsumerRegistry(memory);
        var connections = Enumerable.Range(0, 3).Select(_ => NewBuffer(registry)).ToList();
        var writes = connections.ConvertAll(static one => one.Connection.Block());
        var shared = Page('b');

        foreach (var (_, buffer) in connections)
        {
            _ = buffer.Offer(Page('a'));
            _ = buffer.Offer(shared);
        }

        // A write of 10 bytes is in a block of 16.
        Assert.Equal((3 * 16) + 10, memory.Used);
        writes.ForEach(static write => write.SetResult());
        Assert.Equal(0, memory.Used);
    }

    [Fact]
    public void The_connection_that_took_nothing_for_the_longest_time_is_cut_when_all_together_hold_too_much()
    {
        var memory = new MemoryBudget(100);
        var registry = new ConsumerRegistry(memory);
        var (stuckConnection, stuck) = NewBuffer(registry);
        var (laterConnection, later) = NewBuffer(registry);
        var stuckWrite = stuckConnection.Block();
        _ = stuck.Offer(Page('a'));
        var dropped = new Observer();
        _ = stuck.Offer(new EncodedPage(new byte[60]), null, dropped);
        _clock.Seconds = 1;
        _ = laterConnection.Block();
        _ = later.Offer(Page('b'));
        Assert.Null(stuckConnection.Aborted);

        _ = later.Offer(Page('c'));

        Assert.Equal(CloseReason.SlowConsumer, stuckConnection.Aborted);
        Assert.Null(laterConnection.Aborted);
        Assert.Equal(1, dropped.NotWritten);
        Assert.False(memory.MustShrink);
        stuckWrite.SetException(new IOException("cut"));
        Assert.Equal(16 + 10, memory.Used);
    }

    private (Connection Connection, OutboundBuffer Buffer) NewBuffer(ConsumerRegistry registry)
    {
        var connection = new Connection();
        var buffer = new OutboundBuffer(connection, _clock, new DeliveryOptions { BufferBytesMax = 100 });
        registry.Add(buffer);
        buffer.Open();
        return (connection, buffer);
    }

    private static EncodedPage Page(char c, long first = 0, long last = 0) => new(Enumerable.Repeat((byte)c, 10).ToArray(), first, last);

    private Consumer NewConsumer(OverflowPolicy policy) => new(
        1,
        QueueName.Parse("test"),
        _buffer,
        LineFormat.Envelopes,
        ConsumerOptions.Default with { Overflow = policy },
        default);

    private sealed class Observer : IWriteObserver
    {
        public int Written { get; private set; }

        public int NotWritten { get; private set; }

        public void OnWritten() => Written++;

        public void OnNotWritten() => NotWritten++;
    }

    private QueueSet NewSet() => new(
        _buffer, QueueSelection.Create(["a"], [], out _)!, ManyFormat.Lines, ConsumerOptions.Default, TimeProvider.System);

    private sealed class Connection : IConsumerConnection
    {
        public IConsumerRights Rights { get; } = new AllRights();

        private TaskCompletionSource? _blocked;

        public List<string> Writes { get; } = [];

        public List<EncodedPage> Pages { get; } = [];

        public CloseReason? Completed { get; private set; }

        public CloseReason? Aborted { get; private set; }

        public string Transport => "test";

        public string? RemoteAddress => null;

        public MessageFormat ControlFormat => LineFormat.Envelopes;

        public bool Multiplexed => false;

        public int? LastHeardAt => null;

        /// <summary>The next write stays pending until this is completed.</summary>
        public TaskCompletionSource Block() => _blocked = new TaskCompletionSource();

        public ValueTask WriteAsync(EncodedPage page) => WriteAsync([page]);

        public ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
        {
            Pages.AddRange(pages);
            Writes.Add(string.Join('+', pages.Select(page => $"{(char)page.Bytes.Span[0]}{page.Length}")));
            var blocked = _blocked;
            _blocked = null;
            return blocked is null ? default : new ValueTask(blocked.Task);
        }

        public void Complete(CloseReason reason) => Completed = reason;

        public void Abort(CloseReason reason) => Aborted = reason;
    }
}
