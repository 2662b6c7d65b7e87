using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>
/// Puts into a queue whose messages are broadcast to connected consumers: they get their offsets in the write of their puts.
/// </summary>
public sealed class PushedPutsTests : IAsyncDisposable
{
    private static readonly QueueName Queue = QueueName.Parse("prices");
    private static readonly QueueName Copies = QueueName.Parse("copies");

    private readonly TemporaryDirectory _directory = new();
    private readonly TestTimeProvider _time = new();
    private readonly RecordingListener _listener = new() { IsInUse = true, IsPushing = true };
    private readonly VerifyingLogger _log = new();
    private readonly MessageMeter _meter;
    private readonly MeterListener _meters = new();
    private EmbeddedMessageStore? _opened;
    private TemporaryMount? _mount;
    private long _flushes;

    public PushedPutsTests()
    {
        _meter = new MessageMeter(_time);
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == _meter.Meter && instrument.Name == "pushqueue.store.flush.duration")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref _flushes));
        _meters.Start();
    }

    private EmbeddedMessageStore Store => _opened!;

    public async ValueTask DisposeAsync()
    {
        if (_opened is not null)
        {
            await _opened.DisposeAsync();
        }

        _meters.Dispose();
        _meter.Dispose();
        _mount?.Dispose();
        _directory.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task A_message_to_connected_consumers_costs_one_flush()
    {
        await OpenAsync(Durability.Synced);
        await BeginPushingAsync();
        await SettleAsync();

        var before = Interlocked.Read(ref _flushes);
        for (var i = 0; i < 10; i++)
        {
            await PutAsync($"{i}");
            Assert.Equal([$"{2 + i}: {i}"], await BroadcastAsync());
        }

        Assert.Equal(10, Interlocked.Read(ref _flushes) - before);
    }

    [Fact]
    public async Task A_message_without_connected_consumers_waits_as_any_other()
    {
        await OpenAsync();
        await BeginPushingAsync();
        _listener.IsPushing = false;

        await PutAsync("a");

        Assert.Equal(1, (await InfoAsync()).Ready);
        Assert.Equal(["a"], await TakeAsync());
    }

    [Fact]
    public async Task A_message_with_its_offset_is_out_of_the_queue_but_not_shown_before_its_round()
    {
        await OpenAsync();
        await BeginPushingAsync();

        var id = await PutAsync("a", id: "mine");

        var info = await InfoAsync();
        Assert.Equal((0, 2), (info.Waiting, info.Position.NextOffset));
        Assert.Empty(await TakeAsync());
        Assert.Null(await Store.FindAsync(Queue, id).WithTimeout());
        Assert.Equal(["1: first"], await HistoryAsync());
        Assert.Equal(["2: a"], await BroadcastAsync());
        Assert.Equal(["1: first", "2: a"], await HistoryAsync());
        Assert.Equal(3, (await InfoAsync()).Position.NextOffset);
    }

    [Fact]
    public async Task The_order_of_ready_messages_is_kept()
    {
        await OpenAsync();
        await BeginPushingAsync();

        // A batch with priorities is sorted while it is ready; what comes behind it waits until it is broadcast.
        await PutManyAsync(NewMessage("low"), NewMessage("high", priority: 5), NewMessage("later", delay: TimeSpan.FromHours(1)));
        await PutAsync("next");

        Assert.Equal(["2: high", "3: low", "4: next"], await BroadcastAsync());
        await PutManyAsync(NewMessage("b"), NewMessage("delayed", delay: TimeSpan.FromHours(1)), NewMessage("c"));
        Assert.Equal(0, (await InfoAsync()).Ready);
        Assert.Equal(["5: b", "6: c"], await BroadcastAsync());
        Assert.Equal(2, (await InfoAsync()).Delayed);
    }

    [Fact]
    public async Task A_put_is_not_overtaken_by_one_that_the_same_write_broadcasts()
    {
        await OpenAsync();
        await PutAsync("first");

        // Another queue's write is under way, so that what follows gathers in one batch.
        var other = QueueName.Parse("other");
        await Store.PutAsync(other, NewMessage("begin")).AsTask().WithTimeout();
        await BroadcastAsync(queue: other);
        using var mayWrite = new ManualResetEventSlim();
        var isWriting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _listener.Writing = queue =>
        {
            if (queue == other && isWriting.TrySetResult())
            {
                Assert.True(mayWrite.Wait(TimeSpan.FromSeconds(30)));
            }
        };
        var held = Task.Run(async () => await Store.PutAsync(other, NewMessage("held")));
        await isWriting.Task.WithTimeout();

        // Each of these appends before it waits.
        var before = Store.PutAsync(Queue, NewMessage("before")).AsTask();
        var broadcast = Store.BroadcastAsync(Queue, 100, int.MaxValue).AsTask();
        var after = Store.PutAsync(Queue, NewMessage("after")).AsTask();
        Assert.False(before.IsCompleted || broadcast.IsCompleted || after.IsCompleted);
        mayWrite.Set();

        Assert.True((await held.WithTimeout()).Ok && (await before.WithTimeout()).Ok && (await after.WithTimeout()).Ok);
        Assert.Equal(["1: first"], Text(await broadcast.WithTimeout()));
        Assert.Equal(["2: before", "3: after"], await BroadcastAsync());
    }

    [Fact]
    public async Task A_key_that_is_in_flight_holds_its_messages_back()
    {
        await OpenAsync();
        await BeginPushingAsync();
        _listener.IsPushing = false;
        await PutAsync("leased", key: "k");
        var lease = (await Store.LeaseAsync(Queue, new LeaseRequest(1, 1000, TimeSpan.FromHours(1))).WithTimeout()).Value[0];
        _listener.IsPushing = true;
        await PutAsync("plain");
        Assert.Equal(["2: plain"], await BroadcastAsync());

        await PutAsync("behind", key: "k");

        Assert.Empty(await BroadcastAsync());
        await Store.AckAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)]).WithTimeout();
        Assert.Equal(["3: behind"], await BroadcastAsync());
        await PutAsync("free", key: "k");
        Assert.Equal(0, (await InfoAsync()).Ready);
        Assert.Equal(["4: free"], await BroadcastAsync());
    }

    [Fact]
    public async Task A_stopped_queue_keeps_its_messages_ready()
    {
        await OpenAsync();
        await BeginPushingAsync();
        await SetAsync(new QueueSettingsPatch { Stopped = true });

        await PutAsync("a");

        Assert.Empty(await BroadcastAsync());
        Assert.Equal(1, (await InfoAsync()).Ready);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Messages_that_had_their_offsets_when_the_queue_stopped_or_changed_its_policy_are_in_history(bool stops)
    {
        await OpenAsync();
        await BeginPushingAsync();
        await PutAsync("a");

        await SetAsync(stops ? new QueueSettingsPatch { Stopped = true } : new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });

        Assert.Empty(await BroadcastAsync());
        Assert.Equal(["1: first", "2: a"], await HistoryAsync());
        Assert.Contains(new BroadcastTo(Queue, 3), _listener.News);
    }

    [Fact]
    public async Task Messages_that_had_their_offsets_when_the_last_consumer_left_are_in_history()
    {
        await OpenAsync();
        await BeginPushingAsync();
        await PutAsync("a");

        Store.EndPushing(Queue);

        Assert.Empty(await BroadcastAsync());
        Assert.Equal(["1: first", "2: a"], await HistoryAsync());
        Assert.Contains(new BroadcastTo(Queue, 3), _listener.News);
    }

    [Fact]
    public async Task Messages_whose_last_consumer_left_during_their_write_are_in_history()
    {
        await OpenAsync();
        await BeginPushingAsync();
        _listener.IsInUse = false;

        await PutAsync("a");

        Assert.Equal(["1: first", "2: a"], await HistoryAsync());
        Assert.Contains(new BroadcastTo(Queue, 3), _listener.News);
    }

    [Fact]
    public async Task The_limits_of_history_do_not_count_messages_before_their_round()
    {
        await OpenAsync();
        await BeginPushingAsync();
        await SetAsync(new QueueSettingsPatch { HistoryMessages = 0 });

        await PutManyAsync([.. Enumerable.Range(0, 5).Select(i => NewMessage($"{i}"))]);
        _time.Advance(TimeSpan.FromDays(100));

        Assert.Equal(["2: 0", "3: 1"], await BroadcastAsync(2));
        Assert.Empty(await HistoryAsync());
        Assert.Equal(["4: 2", "5: 3", "6: 4"], await BroadcastAsync());
        Assert.Empty(await HistoryAsync());
        Assert.Equal(7, (await InfoAsync()).Position.NextOffset);
    }

    [Fact]
    public async Task The_newest_message_of_a_key_changes_with_its_round()
    {
        await OpenAsync();
        await SetAsync(new QueueSettingsPatch { HistoryPerKey = true, HistoryMessages = 1 });
        await PutAsync("old", key: "k");
        Assert.Equal(["1: old"], await BroadcastAsync());

        await PutAsync("new", key: "k");

        Assert.Equal(["1: old"], await LatestAsync());
        Assert.Equal(["2: new"], await BroadcastAsync());
        Assert.Equal(["2: new"], await LatestAsync());
        await ReopenAsync();
        Assert.Equal(["2: new"], await LatestAsync());
    }

    [Fact]
    public async Task A_copy_for_a_subscriber_is_broadcast_in_the_same_write()
    {
        await OpenAsync();
        var subscriptions = QueueSubscriptions.Of([new QueueSubscription(Queue.Value)]);
        await Store.UpdateSettingsAsync(Copies, new QueueSettingsPatch { Subscriptions = subscriptions }).WithTimeout();
        await PutAsync("first");
        Assert.Equal(["1: first"], await BroadcastAsync());
        Assert.Equal(["1: first"], await BroadcastAsync(queue: Copies));

        await PutAsync("a");
        await PutManyAsync(NewMessage("b"), NewMessage("c"));

        Assert.Equal((0, 0), ((await InfoAsync()).Ready, (await InfoAsync(Copies)).Ready));
        Assert.Equal(["2: a", "3: b", "4: c"], await BroadcastAsync());
        Assert.Equal(["2: a", "3: b", "4: c"], await BroadcastAsync(queue: Copies));
        await ReopenAsync();
        Assert.Equal(["1: first", "2: a", "3: b", "4: c"], await HistoryAsync());
        Assert.Equal(["1: first", "2: a", "3: b", "4: c"], await HistoryAsync(Copies));
    }

    [Fact]
    public async Task A_start_finds_messages_before_their_round_in_history()
    {
        await OpenAsync();
        await BeginPushingAsync();
        await PutAsync("a");

        await ReopenAsync();

        Assert.Equal(["1: first", "2: a"], await HistoryAsync());
        await PutAsync("b");
        Assert.Equal(["3: b"], await BroadcastAsync());
    }

    [Fact]
    public async Task An_offset_torn_from_its_put_leaves_the_message_ready()
    {
        await OpenAsync();
        await BeginPushingAsync();
        await SettleAsync();
        var segment = Segments(_directory.Path)[^1];
        var before = new FileInfo(segment).Length;
        await PutAsync("a");
        var after = new FileInfo(segment).Length;
        var crashed = _directory.File("crashed");
        CopyFolder(crashed);
        await Store.DisposeAsync();
        _opened = null;

        for (var cut = before; cut <= after; cut++)
        {
            using var copy = new TemporaryDirectory();
            foreach (var file in Segments(crashed))
            {
                File.Copy(file, Path.Combine(copy.Path, Path.GetFileName(file)));
            }

            using (var stream = File.OpenWrite(Segments(copy.Path)[^1]))
            {
                stream.SetLength(cut);
            }

            await using var store = new EmbeddedMessageStore(Options(copy.Path, Durability.Memory), _time, new VerifyingLogger());
            await store.OpenAsync(_listener, CancellationToken.None).WithTimeout();
            _ = await store.BroadcastAsync(Queue, 10, 1000).WithTimeout();
            var history = Text((await store.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout())!.Messages);

            // Whole, or never there; the offset is never another message's.
            Assert.True(
                history is ["1: first"] or ["1: first", "2: a"],
                string.Create(CultureInfo.InvariantCulture, $"cut at {cut} of {before} to {after}: {string.Join(", ", history)}"));
            Assert.True(cut < after || history.Length == 2, "A whole record was lost.");
        }
    }

    [Fact]
    public async Task A_full_disk_takes_offsets_back_with_their_puts()
    {
        _mount = TemporaryMount.OrSkip("size=2m");
        var data = Path.Combine(_mount.Path, "data");
        var filler = Path.Combine(_mount.Path, "filler");
        _log.ExpectError("full");
        await OpenAsync(path: data);
        await BeginPushingAsync();
        await File.WriteAllBytesAsync(filler, new byte[new DriveInfo(_mount.Path).AvailableFreeSpace], CancellationToken.None);

        var refused = await Store.PutAsync(Queue, NewMessage(new string('x', 50_000))).WithTimeout();
        File.Delete(filler);
        await Eventually.TrueAsync(
            async () => (await Store.PutAsync(Queue, NewMessage("after")).WithTimeout()).Ok, "there is room again");
        var sent = await BroadcastAsync();
        await ReopenAsync(data);
        var history = await HistoryAsync();

        Assert.Equal(QueueError.DiskFull, refused.Error);
        Assert.Equal(["2: after"], sent);
        Assert.Equal(["1: first", "2: after"], history);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Every_message_has_one_offset_whatever_happens_meanwhile(int seed)
    {
        await OpenAsync(segmentBytes: 20_000);
        var random = new Random(seed);
        var seen = new SortedDictionary<long, string>();
        var put = new List<string>();
        var crashes = 0;
        for (var round = 0; round < 60; round++)
        {
            var puts = Enumerable.Range(0, random.Next(8)).Select(i => PutAnyAsync($"{round}.{i}", random.Next(), put)).ToArray();
            _listener.IsPushing = random.Next(4) > 0;
            _listener.IsInUse = random.Next(8) > 0;
            await ReadAsync(seen, random.Next(5));
            switch (random.Next(12))
            {
                case 0:
                    await SetAsync(new QueueSettingsPatch { Stopped = random.Next(2) == 0 });
                    break;
                case 1:
                    Store.EndPushing(Queue);
                    break;
                case 2:
                    _time.Advance(TimeSpan.FromSeconds(20));
                    break;
                case 3 when crashes < 5:
                    // A copy of the folder is the state that a killed process leaves: every message that was answered or shown is in it.
                    var answered = put.Count;
                    CopyFolder(_directory.File($"crash{crashes}"));
                    await CompareAsync(_directory.File($"crash{crashes++}"), seen, put[..answered]);
                    break;
            }

            await Task.WhenAll(puts).WithTimeout();
        }

        (_listener.IsPushing, _listener.IsInUse) = (true, true);
        await SetAsync(new QueueSettingsPatch { Stopped = false });
        _time.Advance(TimeSpan.FromMinutes(1));
        await ReadAsync(seen, int.MaxValue);
        Assert.Equal(put.Count, (await HistoryAsync()).Length);
        await CompareAsync(null, seen, put);
        await ReopenAsync();
        await CompareAsync(null, seen, put);
    }

    private static string[] Text(IEnumerable<Message> messages) =>
        [.. messages.Select(message => string.Create(CultureInfo.InvariantCulture, $"{message.Offset}: {BodyOf(message)}"))];

    private static string BodyOf(Message message) => Encoding.UTF8.GetString(message.Body.Span);

    private static List<string> Segments(string path) => [.. Directory.GetFiles(path, "segment-*.log").Order(StringComparer.Ordinal)];

    private void CopyFolder(string to)
    {
        Directory.CreateDirectory(to);

        // The newest first: the segments before it are complete.
        foreach (var file in Segments(_directory.Path).AsEnumerable().Reverse())
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    private EmbeddedStoreOptions Options(string path, Durability durability, long segmentBytes = 64 * 1024 * 1024) => new()
    {
        DataDirectory = path,
        Durability = durability,
        SegmentBytes = segmentBytes,
        ReserveBytes = 4096,
        RoomAheadBytes = durability == Durability.Synced ? 64 * 1024 : 0,
        Meter = _meter,
    };

    private async Task OpenAsync(Durability? durability = null, string? path = null, long segmentBytes = 64 * 1024 * 1024)
    {
        var options = Options(path ?? _directory.Path, durability ?? Durability.Memory, segmentBytes);
        _opened = new EmbeddedMessageStore(options, _time, _log);
        await Store.OpenAsync(_listener, CancellationToken.None).WithTimeout();
    }

    private async Task ReopenAsync(string? path = null)
    {
        await Store.DisposeAsync();
        await OpenAsync(path: path);
    }

    /// <summary>The first round of a dispatcher shows the store that somebody broadcasts the queue's messages.</summary>
    private async Task BeginPushingAsync()
    {
        await PutAsync("first");
        Assert.Equal(["1: first"], await BroadcastAsync());
    }

    /// <summary>A snapshot follows a start at a time of its own; the log is at rest when none of its flushes is left.</summary>
    private async Task SettleAsync()
    {
        var (flushes, length, looks) = (-1L, -1L, 0);
        await Eventually.TrueAsync(
            () =>
            {
                var now = (Interlocked.Read(ref _flushes), new FileInfo(Segments(_directory.Path)[^1]).Length);
                looks = now == (flushes, length) ? looks + 1 : 0;
                (flushes, length) = now;
                return looks >= 100;
            },
            "the log is at rest");
    }

    private NewMessage NewMessage(
        string body, string? id = null, int priority = 0, TimeSpan? delay = null, string? key = null, TimeSpan? ttl = null) => new()
        {
            Body = Encoding.UTF8.GetBytes(body),
            ContentType = "text/plain",
            Id = id is null ? null : MessageId.Parse(id),
            Priority = priority,
            AvailableAt = delay is { } wait ? _time.GetUtcNow() + wait : null,
            Key = key,
            TimeToLive = ttl,
        };

    private async Task<MessageId> PutAsync(string body, string? id = null, string? key = null)
    {
        var outcome = await Store.PutAsync(Queue, NewMessage(body, id, key: key)).WithTimeout();
        Assert.True(outcome.Ok, outcome.Detail);
        return outcome.Value.Id;
    }

    private async Task PutManyAsync(params NewMessage[] messages) =>
        Assert.True((await Store.PutManyAsync(Queue, messages).WithTimeout()).Ok);

    /// <summary>Puts one message of any kind, or a batch, and notes what was answered.</summary>
    private async Task PutAnyAsync(string body, int choice, List<string> put)
    {
        var messages = Enumerable.Range(0, choice % 5 == 0 ? 3 : 1).Select(i => NewMessage(
            $"{body}.{i}",
            id: choice % 7 == 0 ? $"id-{body}-{i}" : null,
            priority: choice % 11 == 0 ? i : 0,
            delay: choice % 13 == 0 ? TimeSpan.FromSeconds(10) : null,
            key: choice % 3 == 0 ? $"k{choice % 4}" : null)).ToArray();
        await Task.Yield();
        var ok = messages.Length == 1
            ? (await Store.PutAsync(Queue, messages[0]).WithTimeout()).Ok
            : (await Store.PutManyAsync(Queue, messages).WithTimeout()).Ok;
        Assert.True(ok);
        lock (put)
        {
            put.AddRange(messages.Select(message => Encoding.UTF8.GetString(message.Body.Span)));
        }
    }

    /// <summary>As a dispatcher does: rounds, and what went to history without one.</summary>
    private async Task ReadAsync(SortedDictionary<long, string> seen, int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            var messages = await Store.BroadcastAsync(Queue, 3, int.MaxValue).WithTimeout();
            foreach (var message in messages)
            {
                Assert.True(
                    seen.TryAdd(message.Offset, BodyOf(message)),
                    string.Create(CultureInfo.InvariantCulture, $"offset {message.Offset} was given twice"));
            }

            if (messages.Count == 0)
            {
                return;
            }
        }
    }

    /// <summary>Each message that was answered is live or in history, once, with the offset under which it was seen.</summary>
    private async Task CompareAsync(string? path, SortedDictionary<long, string> seen, IReadOnlyList<string> put)
    {
        EmbeddedMessageStore? other = null;
        if (path is not null)
        {
            other = new EmbeddedMessageStore(Options(path, Durability.Memory), _time, new VerifyingLogger());
            await other.OpenAsync(new RecordingListener { IsInUse = true }, CancellationToken.None).WithTimeout();
        }

        var store = other ?? Store;
        if (await store.GetQueueAsync(Queue).WithTimeout() is { } info)
        {
            var history = (await store.ReadHistoryAsync(Queue, 1, 10_000, int.MaxValue).WithTimeout())!.Messages;
            Assert.Equal(Enumerable.Range(1, history.Count).Select(i => (long)i), history.Select(message => message.Offset));
            Assert.Equal(history.Count + 1, info.Position.NextOffset);
            Assert.All(seen, pair => Assert.Equal(pair.Value, BodyOf(history[(int)pair.Key - 1])));
            var live = new List<string>();
            foreach (var state in new[] { MessageState.Ready, MessageState.Delayed })
            {
                live.AddRange((await store.BrowseAsync(Queue, state, null, 10_000).WithTimeout()).Value.Messages.Select(BodyOf));
            }

            var all = history.Select(BodyOf).Concat(live).ToList();
            Assert.Equal(all.Count, all.Distinct().Count());
            Assert.Empty(put.Except(all));
        }

        if (other is not null)
        {
            await other.DisposeAsync();
        }
    }

    private async Task SetAsync(QueueSettingsPatch patch) =>
        Assert.True((await Store.UpdateSettingsAsync(Queue, patch).WithTimeout()).Ok);

    private async Task<QueueInfo> InfoAsync(QueueName? queue = null) => (await Store.GetQueueAsync(queue ?? Queue).WithTimeout())!;

    private async Task<string[]> TakeAsync() =>
        [.. (await Store.TakeAsync(Queue, 100, int.MaxValue).WithTimeout()).Value.Select(BodyOf)];

    private async Task<string[]> BroadcastAsync(int count = 100, QueueName? queue = null) =>
        Text(await Store.BroadcastAsync(queue ?? Queue, count, int.MaxValue).WithTimeout());

    private async Task<string[]> HistoryAsync(QueueName? queue = null) =>
        Text((await Store.ReadHistoryAsync(queue ?? Queue, 1, 10_000, int.MaxValue).WithTimeout())!.Messages);

    private async Task<string[]> LatestAsync() =>
        Text((await Store.ReadLatestAsync(Queue, 1, 10_000, int.MaxValue).WithTimeout())!.Messages);
}
