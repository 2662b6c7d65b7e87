using System.Text;
using System.Text.Json.Serialization;
using PushQueue.Client;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.InProcess;

/// <summary>The rules for every <see cref="IPushQueueClient"/>, wherever the queue is.</summary>
public abstract partial class ClientContract : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    private protected PushQueueServer Server => _server;

    private protected IPushQueueClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PushQueueServer.StartAsync();
        Client = NewClient(_server);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _server.DisposeAsync();
    }

    private protected abstract IPushQueueClient NewClient(PushQueueServer server);

    [Fact]
    public async Task A_message_is_put_and_taken_with_its_body_type_and_priority()
    {
        var put = await Client.PutAsync("q", PutMessage.Bytes(new byte[] { 0, 255, 7 }, new PutOptions { Priority = 3 })).WithTimeout();

        var taken = await Client.TakeAsync("q").WithTimeout();

        Assert.Equal(("q", "1", "memory", false), (put.Queue, put.Id, put.Durability, put.Duplicate));
        Assert.Equal(
            ("q", "1", "application/octet-stream", 3, 1), (taken!.Queue, taken.Id, taken.ContentType, taken.Priority, taken.Attempt));
        Assert.Equal(new byte[] { 0, 255, 7 }, taken.Body.ToArray());
        Assert.NotNull(taken.EnqueuedAt);
        Assert.Null(await Client.TakeAsync("q").WithTimeout());
    }

    [Fact]
    public async Task A_body_that_the_program_changes_after_its_put_stays_as_it_was_put()
    {
        var buffer = Encoding.UTF8.GetBytes("one");
        await Client.PutAsync("q", new PutMessage(buffer, "text/plain")).WithTimeout();
        buffer[0] = (byte)'x';

        Assert.Equal("one", (await Client.TakeAsync("q").WithTimeout())!.Text);
    }

    [Fact]
    public async Task Values_are_written_and_read_with_generated_code_and_by_reflection()
    {
        await Client.PutAsync("q", new Order(1, "tea"), ContractJson.Default.Order).WithTimeout();
        await Client.PutAsync("q", new Order(2, "jam")).WithTimeout();
        await Client.PutManyAsync("q", [new Order(3, "rye")], ContractJson.Default.Order).WithTimeout();
        await Client.PutAsync("q", "text").WithTimeout();

        var first = await Client.TakeAsync("q").WithTimeout();
        var second = await Client.TakeAsync("q").WithTimeout();
        var third = await Client.TakeAsync("q").WithTimeout();
        var fourth = await Client.TakeAsync("q").WithTimeout();

        Assert.Equal("""{"number":1,"item":"tea"}""", first!.Text);
        Assert.Equal(new Order(1, "tea"), first.Read<Order>());
        Assert.Equal(new Order(2, "jam"), second!.Read(ContractJson.Default.Order));
        Assert.Equal(new Order(3, "rye"), third!.Read<Order>());
        Assert.Equal(("text", "text/plain"), (fourth!.Text, fourth.ContentType));
        var error = Assert.Throws<PushQueueException>(() => fourth.Read<Order>());
        Assert.Equal(ProblemTypes.BadBody, error.Type);
    }

    [Fact]
    public async Task The_same_id_stores_nothing_a_second_time()
    {
        await Client.PutAsync("q", "a", new PutOptions { Id = "x" }).WithTimeout();

        var again = await Client.PutAsync("q", "b", new PutOptions { Id = "x" }).WithTimeout();
        var many = await Client.PutManyAsync(
            "q", [PutMessage.Text("c", new PutOptions { Id = "x" }), PutMessage.Text("d")]).WithTimeout();

        Assert.True(again.Duplicate);
        Assert.Equal(["x", "2"], many.Ids);
        Assert.Equal(["x"], many.Duplicates);
        Assert.Equal("a", (await Client.FindAsync("q", "x").WithTimeout())!.Text);
    }

    [Fact]
    public async Task A_put_can_wait_for_the_ack_of_its_message()
    {
        var put = Client.PutAsync("q", "a", new PutOptions { WaitForAck = TimeSpan.FromSeconds(30) });
        var message = await Client.LeaseAsync("q", TimeSpan.FromSeconds(30), wait: TimeSpan.FromSeconds(30), worker: "w").WithTimeout();

        Assert.True(await message!.AckAsync().WithTimeout());

        var ended = await put.WithTimeout();
        Assert.Equal((true, "w", 1), (ended.Acked, ended.Worker, ended.Attempts));
    }

    public static TheoryData<string, string, PutOptions> Refused => new()
    {
        { "a/b", ProblemTypes.BadQueueName, new PutOptions() },
        { "q", ProblemTypes.BadMessageId, new PutOptions { Id = new string('x', 256) } },
        { "q", ProblemTypes.BadOption, new PutOptions { Priority = 10 } },
        { "q", ProblemTypes.BadOption, new PutOptions { Delay = TimeSpan.FromSeconds(1), At = DateTimeOffset.UnixEpoch } },
        { "q", ProblemTypes.BadOption, new PutOptions { RetryDelay = "soon" } },
        { "q", ProblemTypes.BadOption, new PutOptions { WaitForAck = TimeSpan.FromMinutes(2) } },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task An_option_that_cannot_be_is_refused_and_nothing_is_stored(string queue, string type, PutOptions options)
    {
        var error = await Assert.ThrowsAsync<PushQueueException>(() => Client.PutAsync(queue, "x", options).WithTimeout());

        Assert.Equal((type, 400), (error.Type, error.Status));
        Assert.Null(await Client.GetQueueAsync("q").WithTimeout());
    }

    [Fact]
    public async Task A_lease_is_acked_released_touched_and_lost()
    {
        await Client.PutAsync("q", "a").WithTimeout();
        var first = await Client.LeaseAsync("q", TimeSpan.FromSeconds(30), worker: "w").WithTimeout();
        Assert.NotNull(first!.LeasedUntil);
        Assert.True(await first.TouchAsync(TimeSpan.FromMinutes(5)).WithTimeout());
        Assert.True(await first.ReleaseAsync(error: "broken").WithTimeout());
        Assert.False(await first.AckAsync().WithTimeout());
        var rest = await Client.FindAsync("q", "1").WithTimeout();
        Assert.Equal(("ready", "broken", "w"), (rest!.Resting!.State, rest.Resting.LastError, rest.Resting.LastWorker));

        var second = await Client.LeaseAsync("q", TimeSpan.FromSeconds(30)).WithTimeout();

        Assert.Equal(2, second!.Attempt);
        Assert.True(await second.ReleaseUnstartedAsync().WithTimeout());
        var third = Assert.Single(await Client.LeaseManyAsync("q", 10, TimeSpan.FromSeconds(30)).WithTimeout());
        Assert.Equal(2, third.Attempt);
        Assert.Equal(["1"], await Client.AckManyAsync("q", [second]).WithTimeout());
        Assert.Empty(await Client.AckManyAsync("q", [third]).WithTimeout());
        var lost = await Assert.ThrowsAsync<PushQueueException>(() => Client.AckAsync("q", "1", third.Receipt!).WithTimeout());
        Assert.Contains(lost.Type, new[] { ProblemTypes.LeaseLost, ProblemTypes.NotFound });
    }

    [Fact]
    public async Task A_broadcast_stream_gives_every_message_with_its_cursor_and_resumes_behind_it()
    {
        await Client.PutManyAsync("q", Enumerable.Range(1, 3), ContractJson.Default.Int32).WithTimeout();
        var all = new List<Message>();
        await foreach (var message in Client.ConsumeAsync("q", new ConsumeOptions { From = "earliest" }))
        {
            all.Add(message);
            if (all.Count == 3)
            {
                break;
            }
        }

        await using var rest = Client.ConsumeAsync("q", new ConsumeOptions { From = all[0].Cursor }).GetAsyncEnumerator();
        Assert.True(await rest.MoveNextAsync().AsTask().WithTimeout());

        Assert.Equal(["1", "2", "3"], all.Select(static message => message.Text));
        Assert.Equal([1L, 2, 3], all.Select(static message => message.Offset));
        var history = await AllAsync(Client.BrowseAsync("q", "history", pageSize: 2));
        Assert.Equal([("1", "history"), ("2", "history"), ("3", "history")], history.Select(static one => (one.Text, one.Resting!.State)));
        Assert.Equal("2", rest.Current.Text);
    }

    [Fact]
    public async Task A_gap_is_reported_before_the_message_behind_it()
    {
        await Client.PutAsync("q", "1").WithTimeout();
        Assert.Equal("1", (await FirstAsync(Client.ConsumeAsync("q", new ConsumeOptions { From = "earliest" }))).Text);
        var stream = Client.ConsumeAsync("q", new ConsumeOptions { From = "other.7" });
        var gaps = new List<Gap>();
        stream.GapFound += gaps.Add;

        Assert.Equal("1", (await FirstAsync(stream)).Text);

        Assert.Equal(new Gap("q", null, null, null, "reset"), Assert.Single(gaps));
    }

    [Fact]
    public async Task A_typed_stream_that_acks_makes_its_queue_roundrobin_and_loses_nothing()
    {
        var stream = Client.ConsumeAsync<Order>("q", new ConsumeOptions { Ack = AckMode.Manual, Prefetch = 10 });
        await using var orders = stream.GetAsyncEnumerator();
        var next = orders.MoveNextAsync().AsTask();
        await Eventually.TrueAsync(async () => (await Client.GetQueueAsync("q"))?.Consumers == 1, "the consumer has joined");
        await Client.PutManyAsync("q", [new Order(1, "tea"), new Order(2, "jam")], ContractJson.Default.Order).WithTimeout();

        Assert.True(await next.WithTimeout());
        Assert.Equal(new Order(1, "tea"), orders.Current.Value);
        Assert.True(await orders.Current.AckAsync().WithTimeout());
        Assert.True(await orders.MoveNextAsync().AsTask().WithTimeout());
        await orders.DisposeAsync();

        var back = await Client.TakeAsync("q", wait: TimeSpan.FromSeconds(30)).WithTimeout();
        Assert.Equal((new Order(2, "jam"), 2), (back!.Read<Order>(), back.Attempt));
        Assert.Equal("roundrobin", (await Client.GetSettingsAsync("q").WithTimeout()).Policy);
    }

    [Fact]
    public async Task What_was_received_and_not_begun_goes_back_uncounted_when_the_enumeration_is_left()
    {
        await Client.ChangeSettingsAsync("q", new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        await Client.PutManyAsync("q", Enumerable.Range(1, 3), ContractJson.Default.Int32).WithTimeout();
        await foreach (var message in Client.ConsumeAsync("q", new ConsumeOptions { Ack = AckMode.Manual, Prefetch = 3 }))
        {
            await Eventually.TrueAsync(async () => (await Client.GetQueueAsync("q"))!.Leased == 3, "all are leased");
            Assert.Equal("1", message.Text);
            break;
        }

        await Eventually.TrueAsync(async () => (await Client.GetQueueAsync("q"))!.Ready == 3, "all are ready again");
        var again = await Client.LeaseManyAsync("q", 3, TimeSpan.FromSeconds(30)).WithTimeout();
        Assert.Equal([("1", 2), ("2", 1), ("3", 1)], again.Select(static message => (message.Text, message.Attempt)));
    }

    [Fact]
    public async Task A_cancelled_message_ends_for_the_stream_that_holds_it()
    {
        await Client.ChangeSettingsAsync("q", new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        await Client.PutAsync("q", "a", new PutOptions { Id = "x" }).WithTimeout();
        var stream = Client.ConsumeAsync("q", new ConsumeOptions { Ack = AckMode.Manual });
        var cancelled = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        stream.Cancelled += id => cancelled.TrySetResult(id);
        await using var messages = stream.GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());

        Assert.True(await Client.CancelAsync("q", "x").WithTimeout());

        Assert.Equal("x", await cancelled.Task.WithTimeout());
        await Eventually.TrueAsync(() => messages.Current.Ended.IsCancellationRequested, "the message has ended");
        Assert.False(await messages.Current.AckAsync().WithTimeout());
        Assert.False(await Client.CancelAsync("q", "x").WithTimeout());
    }

    [Fact]
    public async Task The_end_of_the_queue_is_the_end_of_its_streams()
    {
        await Client.PutAsync("q", "a").WithTimeout();
        var stream = Client.ConsumeAsync("q", new ConsumeOptions { From = "earliest" });
        await using var messages = stream.GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());

        await Client.DeleteQueueAsync("q").WithTimeout();

        Assert.False(await messages.MoveNextAsync().AsTask().WithTimeout());
        Assert.Equal(ProblemTypes.QueueDeleted, stream.EndReason);
        Assert.Null(await Client.GetQueueAsync("q").WithTimeout());
    }

    [Fact]
    public async Task A_stream_that_an_operator_ends_throws_its_reason()
    {
        await using var messages = Client.ConsumeAsync("q", new ConsumeOptions { From = "earliest" }).GetAsyncEnumerator();
        var next = messages.MoveNextAsync().AsTask();
        await Eventually.TrueAsync(async () => (await Client.GetConsumersAsync("q")).Count == 1, "the consumer has joined");
        var consumer = Assert.Single(await Client.GetConsumersAsync("q").WithTimeout());

        await Server.SendAsync("DELETE", $"/q/q/consumers/{consumer.Id}").WithTimeout();

        var error = await Assert.ThrowsAsync<PushQueueException>(() => next.WithTimeout());
        Assert.Equal(ProblemTypes.Disconnected, error.Type);
    }

    [Fact]
    public async Task Keys_and_headers_travel_and_takes_select_by_them()
    {
        var headers = new Dictionary<string, string> { ["tenant"] = "7" };
        await Client.PutAsync("q", "other").WithTimeout();
        await Client.PutAsync("q", "mine", new PutOptions { Key = "k", Headers = headers }).WithTimeout();

        var taken = await Client.TakeAsync("q", where: ["tenant=7|8"]).WithTimeout();

        Assert.Equal(("mine", "k", "7"), (taken!.Text, taken.Key, taken.Headers["tenant"]));
        var bad = new Dictionary<string, string> { ["no spaces"] = "7" };
        var error = await Assert.ThrowsAsync<PushQueueException>(
            () => Client.PutAsync("q", "x", new PutOptions { Headers = bad }).WithTimeout());
        Assert.Equal(ProblemTypes.BadOption, error.Type);
    }

    [Fact]
    public async Task A_broadcast_stream_with_a_filter_goes_on_behind_what_it_leaves_out_and_costs_no_other_consumer_a_message()
    {
        await using var some = Client.ConsumeAsync("q", new ConsumeOptions { Where = ["t=1"] }).GetAsyncEnumerator();
        await using var all = Client.ConsumeAsync("q").GetAsyncEnumerator();
        var (nextSome, nextAll) = (some.MoveNextAsync().AsTask(), all.MoveNextAsync().AsTask());
        await Eventually.TrueAsync(async () => (await Client.GetConsumersAsync("q")).Count == 2, "both have joined");

        // So many that the server says where the stream is.
        await Client.PutManyAsync("q", Enumerable.Range(0, 2500).Select(static i => PutMessage.Text($"{i}"))).WithTimeout();
        var options = new PutOptions { Headers = new Dictionary<string, string> { ["t"] = "1" } };
        await Client.PutAsync("q", "wanted", options).WithTimeout();

        Assert.True(await nextSome.WithTimeout());
        Assert.Equal("wanted", some.Current.Text);
        for (var i = 0; i < 2500; i++)
        {
            Assert.True(await nextAll.WithTimeout());
            Assert.Equal($"{i}", all.Current.Text);
            nextAll = all.MoveNextAsync().AsTask();
        }

        Assert.True(await nextAll.WithTimeout());
        Assert.Equal("wanted", all.Current.Text);
    }

    [Fact]
    public async Task A_stream_begins_with_the_newest_message_of_each_key_and_goes_on()
    {
        var change = new QueueSettingsChange { History = new HistorySettings { PerKey = true } };
        await Client.ChangeSettingsAsync("q", change).WithTimeout();
        await using (var first = Client.ConsumeAsync("q").GetAsyncEnumerator())
        {
            var next = first.MoveNextAsync().AsTask();
            await Eventually.TrueAsync(async () => (await Client.GetConsumersAsync("q")).Count == 1, "the consumer has joined");
            await Client.PutAsync("q", "old", new PutOptions { Key = "a" }).WithTimeout();
            await Client.PutAsync("q", "new", new PutOptions { Key = "a" }).WithTimeout();
            Assert.True(await next.WithTimeout());
            Assert.True(await first.MoveNextAsync().AsTask().WithTimeout());
        }

        await using var messages = Client.ConsumeAsync("q", new ConsumeOptions { From = "latest-per-key" }).GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
        Assert.Equal("new", messages.Current.Text);
        await Client.PutAsync("q", "live").WithTimeout();

        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
        Assert.Equal("live", messages.Current.Text);
    }

    [Fact]
    public async Task A_queue_that_subscribes_from_the_earliest_gets_what_the_other_one_holds()
    {
        await Client.PutAsync("orders", "before").WithTimeout();
        var subscription = new QueueSubscription("orders") { From = "earliest" };
        var change = new QueueSettingsChange { Subscriptions = [subscription] };
        var settings = await Client.ChangeSettingsAsync("archive", change).WithTimeout();
        await Client.PutAsync("orders", "after").WithTimeout();
        await Eventually.TrueAsync(async () => !(await Client.GetQueueAsync("archive"))!.Copying, "the earlier message is copied");

        Assert.Equal(subscription, settings.Subscriptions[0]);
        Assert.Equal(
            ["before", "after"], (await Client.TakeManyAsync("archive", 10).WithTimeout()).Select(static message => message.Text));
    }

    [Fact]
    public async Task A_queue_subscribes_to_others_and_a_put_says_how_many_copies_there_are()
    {
        var wanted = new Dictionary<string, string?> { ["tenant"] = "7|8", ["urgent"] = null };
        var change = new QueueSettingsChange { Subscriptions = ["orders", new QueueSubscription("audit.*", wanted)] };
        var settings = await Client.ChangeSettingsAsync("billing", change).WithTimeout();

        var put = await Client.PutAsync("orders", "tea").WithTimeout();
        var many = await Client.PutManyAsync("orders", [PutMessage.Text("1"), PutMessage.Text("2")]).WithTimeout();
        var headers = new Dictionary<string, string> { ["tenant"] = "8", ["urgent"] = "" };
        var filtered = await Client.PutAsync("audit.de", "yes", new PutOptions { Headers = headers }).WithTimeout();
        var left = await Client.PutAsync("audit.de", "no").WithTimeout();

        Assert.Equal((1, 2, 1, 0), (put.Copies, many.Copies, filtered.Copies, left.Copies));
        Assert.Equal(["billing"], (await Client.GetQueueAsync("orders").WithTimeout())!.Subscribers);
        Assert.Equal(["orders", "audit.*"], settings.Subscriptions.Select(static one => one.To));
        Assert.Equal(wanted, settings.Subscriptions[1].Where);
        Assert.Equal(
            ["tea", "1", "2", "yes"], (await Client.TakeManyAsync("billing", 10).WithTimeout()).Select(static message => message.Text));
        var none = await Client.ChangeSettingsAsync("billing", new QueueSettingsChange { Subscriptions = [] }).WithTimeout();
        Assert.Empty(none.Subscriptions);
        var error = await Assert.ThrowsAsync<PushQueueException>(() => Client.ChangeSettingsAsync(
            "billing", new QueueSettingsChange { Subscriptions = ["billing"] }).WithTimeout());
        Assert.Equal(ProblemTypes.BadOption, error.Type);
    }

    [Fact]
    public async Task A_cancelled_call_changes_nothing()
    {
        await Client.PutAsync("q", "x").WithTimeout();
        var cancelled = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client.PurgeAsync("q", cancelled).WithTimeout());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client.DeleteQueueAsync("q", cancelled).WithTimeout());

        Assert.Equal(1, (await Client.GetQueueAsync("q").WithTimeout())!.Ready);
    }

    [Fact]
    public async Task A_header_that_is_given_twice_is_refused()
    {
        var twice = new Dictionary<string, string> { ["tenant"] = "7", ["Tenant"] = "8" };

        var error = await Assert.ThrowsAsync<PushQueueException>(
            () => Client.PutAsync("q", "x", new PutOptions { Headers = twice }).WithTimeout());

        Assert.Equal(ProblemTypes.BadOption, error.Type);
    }

    [Fact]
    public async Task A_stream_over_many_queues_names_the_queue_of_each_message_and_takes_in_queues_that_appear_and_vanish()
    {
        var joined = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var left = new System.Collections.Concurrent.ConcurrentQueue<(string, string)>();
        var connected = new SemaphoreSlim(0);
        var stream = Client.ConsumeManyAsync(["named"], ["m.*"]);
        stream.Connected += () => connected.Release();
        stream.QueueJoined += joined.Enqueue;
        stream.QueueLeft += (queue, code) => left.Enqueue((queue, code));
        await using var messages = stream.GetAsyncEnumerator();
        var next = messages.MoveNextAsync().AsTask();
        await connected.WaitAsync().WithTimeout();

        await Client.PutAsync("named", "one").WithTimeout();
        Assert.True(await next.WithTimeout());
        Assert.Equal(("named", "one", 1), (messages.Current.Queue, messages.Current.Text, messages.Current.Offset));
        next = messages.MoveNextAsync().AsTask();
        await Client.PutAsync("m.new", "two").WithTimeout();
        await Client.PutAsync("other", "not wanted").WithTimeout();
        Assert.True(await next.WithTimeout());
        Assert.Equal(("m.new", "two", 1), (messages.Current.Queue, messages.Current.Text, messages.Current.Offset));
        next = messages.MoveNextAsync().AsTask();
        await Client.DeleteQueueAsync("m.new").WithTimeout();
        await Eventually.TrueAsync(() => left.Contains(("m.new", ProblemTypes.QueueDeleted)), "the queue has left");
        await Client.PutAsync("m.new", "again").WithTimeout();
        Assert.True(await next.WithTimeout());
        Assert.Equal(("m.new", "again", 1), (messages.Current.Queue, messages.Current.Text, messages.Current.Offset));
        Assert.Equal(["m.new", "m.new"], joined);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(30)]
    public async Task A_stream_over_many_queues_resumes_all_of_them_by_one_cursor(int queues)
    {
        // Up to 16 queues each message has its own cursor where the transport carries it. Else the cursor may stand before the message.
        var names = Enumerable.Range(0, queues).Select(static number => $"m.{number}").ToArray();
        foreach (var name in names)
        {
            await Client.ChangeSettingsAsync(name, new QueueSettingsChange { Policy = "broadcast" }).WithTimeout();
        }

        var connected = new SemaphoreSlim(0);
        var first = Client.ConsumeManyAsync(names, ["x.*"]);
        first.Connected += () => connected.Release();
        string? cursor;
        string? behindOne;
        await using (var messages = first.GetAsyncEnumerator())
        {
            var next = messages.MoveNextAsync().AsTask();
            await connected.WaitAsync().WithTimeout();
            await PutToAllAsync(names, "first");
            Assert.True(await next.WithTimeout());
            behindOne = messages.Current.Cursor;
            for (var i = 1; i < queues; i++)
            {
                Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
            }

            // The cursor follows the messages, also in a stream that is quiet.
            next = messages.MoveNextAsync().AsTask();
            await Eventually.TrueAsync(() => first.Cursor is not null && first.Cursor != behindOne, "the cursor moves");
            cursor = first.Cursor;
            await PutToAllAsync(names, "second");
            Assert.True(await next.WithTimeout());
        }

        Assert.NotNull(behindOne);
        var (before, _) = await ReadUntilAsync(Client.ConsumeManyAsync([.. names.Reverse()], ["x.*"], From(behindOne)), "second", queues);
        var (after, end) = await ReadUntilAsync(Client.ConsumeManyAsync(names, ["x.*"], From(cursor)), "second", queues);
        Assert.All(names, name => Assert.Contains((name, "second", 2L), after));
        Assert.True(before.Count >= (2 * queues) - 1, $"{before.Count} messages came behind the first.");
        Assert.Equal(before.Count, before.Distinct().Count());
        Assert.True(after.Count < before.Count, $"{after.Count} of {before.Count} messages came behind the later cursor.");
        Assert.NotEqual(cursor, end);
        var refused = await Assert.ThrowsAsync<PushQueueException>(() =>
            ReadUntilAsync(Client.ConsumeManyAsync(names, ["y.*"], From(cursor)), "second", queues));
        Assert.Equal(ProblemTypes.BadOption, refused.Type);

        static ConsumeOptions From(string? cursor) => new() { From = cursor };
    }

    [Fact]
    public async Task A_stream_over_many_queues_acks_each_message_in_its_queue_and_gives_back_what_it_holds()
    {
        var options = new ConsumeOptions { Ack = AckMode.Manual, Prefetch = 10 };
        var connected = new SemaphoreSlim(0);
        var stream = Client.ConsumeManyAsync(["a", "b"], options);
        stream.Connected += () => connected.Release();
        await using (var messages = stream.GetAsyncEnumerator())
        {
            var next = messages.MoveNextAsync().AsTask();
            await connected.WaitAsync().WithTimeout();
            await Client.PutAsync("a", "one").WithTimeout();
            await Client.PutAsync("b", "two").WithTimeout();
            for (var i = 0; i < 2; i++)
            {
                Assert.True(await next.WithTimeout());
                Assert.Null(messages.Current.Cursor);
                if (messages.Current.Queue == "a")
                {
                    Assert.True(await messages.Current.AckAsync().WithTimeout());
                }

                next = i == 0 ? messages.MoveNextAsync().AsTask() : next;
            }
        }

        await Eventually.TrueAsync(async () => (await Client.GetQueueAsync("b"))!.Ready == 1, "the message of b goes back");
        Assert.Equal((0, 0, 1), (await Counts("a")));
        Assert.Equal((1, 0, 0), (await Counts("b")));

        async Task<(long Ready, long Leased, long Acked)> Counts(string queue) =>
            await Client.GetQueueAsync(queue).WithTimeout() is { } info ? (info.Ready, info.Leased, info.Counters.Acked) : default;
    }

    [Fact]
    public async Task A_stream_over_no_queue_or_with_wrong_options_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Client.ConsumeManyAsync([], []));
        var refused = await Assert.ThrowsAsync<PushQueueException>(() =>
            ReadUntilAsync(Client.ConsumeManyAsync(["a"], new ConsumeOptions { Prefetch = 0 }), "", 1));
        Assert.Equal(ProblemTypes.BadOption, refused.Type);
        refused = await Assert.ThrowsAsync<PushQueueException>(() => ReadUntilAsync(Client.ConsumeManyAsync(["a", "a"]), "", 1));
        Assert.Equal(ProblemTypes.BadOption, refused.Type);
        Assert.Null(await Client.GetQueueAsync("a").WithTimeout());
    }

    [Fact]
    public async Task A_consumer_says_who_it_is()
    {
        var options = new ConsumeOptions { Who = """{"name":"ann"}""" };
        await using var messages = Client.ConsumeAsync("q", options).GetAsyncEnumerator();
        var next = messages.MoveNextAsync().AsTask();
        await Eventually.TrueAsync(async () => (await Client.GetConsumersAsync("q")).Count == 1, "the consumer has joined");

        var present = Assert.Single((await Client.GetPresenceAsync("q").WithTimeout()).Consumers);
        var consumer = Assert.Single(await Client.GetConsumersAsync("q").WithTimeout());
        await Client.PutAsync("q", "x").WithTimeout();

        Assert.Equal("""{"name":"ann"}""", present.Who!.Value.GetRawText());
        Assert.Equal((present.Id, present.Transport), (consumer.Id, consumer.Transport));
        Assert.Equal("""{"name":"ann"}""", consumer.Who!.Value.GetRawText());
        Assert.True(await next.WithTimeout());
    }

    [Fact]
    public async Task Wrong_stream_options_are_refused()
    {
        var error = await Assert.ThrowsAsync<PushQueueException>(
            () => FirstAsync(Client.ConsumeAsync("q", new ConsumeOptions { From = "x" })));
        Assert.Equal(ProblemTypes.BadOption, error.Type);

        await Client.PutAsync("q", "a", new PutOptions { Policy = "broadcast" }).WithTimeout();
        error = await Assert.ThrowsAsync<PushQueueException>(
            () => FirstAsync(Client.ConsumeAsync("q", new ConsumeOptions { Policy = "roundrobin" })));
        Assert.Equal(ProblemTypes.WrongPolicy, error.Type);
    }

    [Fact]
    public async Task An_enumeration_ends_with_its_token()
    {
        using var stop = new CancellationTokenSource();
        await using var messages = Client.ConsumeAsync("q").GetAsyncEnumerator(stop.Token);
        var next = messages.MoveNextAsync().AsTask();

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WithTimeout());
    }

    [Fact]
    public async Task Messages_are_browsed_rescheduled_dead_lettered_and_replayed()
    {
        await Client.ChangeSettingsAsync("q", new QueueSettingsChange { MaxAttempts = 1 }).WithTimeout();
        await Client.PutAsync("q", "a", new PutOptions { Delay = TimeSpan.FromHours(1), UniqueKey = "u" }).WithTimeout();
        var delayed = Assert.Single(await AllAsync(Client.BrowseAsync("q", "delayed")));
        Assert.Equal(("delayed", "u"), (delayed.Resting!.State, delayed.Resting.Unique));
        Assert.NotNull(delayed.Resting.AvailableAt);
        await Client.RescheduleAsync("q", delayed.Id, TimeSpan.Zero).WithTimeout();

        var leased = await Client.LeaseAsync("q", TimeSpan.FromSeconds(30), wait: TimeSpan.FromSeconds(30)).WithTimeout();
        Assert.True(await leased!.ReleaseAsync(error: "no").WithTimeout());

        var dead = Assert.Single(await AllAsync(Client.BrowseAsync("q.dead", "dead")));
        Assert.Equal(("q", 1), (dead.Resting!.DeadLetter!.Queue, dead.Resting.DeadLetter.Attempts));
        Assert.Equal(1, await Client.ReplayAsync("q").WithTimeout());
        Assert.Equal("a", (await Client.TakeAsync("q").WithTimeout())!.Text);
        Assert.Null(await Client.FindAsync("q", delayed.Id).WithTimeout());
        var missing = await Assert.ThrowsAsync<PushQueueException>(
            () => Client.RescheduleAsync("q", delayed.Id, DateTimeOffset.UtcNow).WithTimeout());
        Assert.Equal((ProblemTypes.NotFound, 404), (missing.Type, missing.Status));
        var wrong = await Assert.ThrowsAsync<PushQueueException>(() => AllAsync(Client.BrowseAsync("q", "lost")));
        Assert.Equal(ProblemTypes.BadOption, wrong.Type);
    }

    [Fact]
    public async Task Settings_are_changed_and_read()
    {
        var changed = await Client.ChangeSettingsAsync("q", new QueueSettingsChange
        {
            Policy = "roundrobin", Ttr = "5m", MaxAttempts = 7, RetryDelay = "exponential:1s..5m", DedupWindow = "1h", MaxMessages = 3,
            MaxBytes = 1000, Overflow = "drop-oldest",
            History = new HistorySettings { Messages = 5, Age = "1m" }, DeadLetter = false, Expires = "2h", KeyInFlight = 3, Fair = true,
        }).WithTimeout();

        var read = await Client.GetSettingsAsync("q").WithTimeout();
        Assert.Equal(changed.Subscriptions, read.Subscriptions);
        Assert.Equal(changed with { Subscriptions = read.Subscriptions }, read);
        Assert.Equal(
            ("roundrobin", "5m", 7, "exponential:1s..5m", "1h", 3L, 1000L, "drop-oldest", false),
            (changed.Policy, changed.Ttr, changed.MaxAttempts, changed.RetryDelay, changed.DedupWindow, changed.MaxMessages,
                changed.MaxBytes, changed.Overflow, changed.DeadLetter));
        Assert.Equal(new HistorySettings { Messages = 5, Age = "1m", PerKey = false }, changed.History);
        Assert.Equal(("2h", 3, true), (changed.Expires, changed.KeyInFlight, changed.Fair));
        var error = await Assert.ThrowsAsync<PushQueueException>(
            () => Client.ChangeSettingsAsync("q", new QueueSettingsChange { MaxAttempts = 0 }).WithTimeout());
        Assert.Equal(ProblemTypes.BadOption, error.Type);
        error = await Assert.ThrowsAsync<PushQueueException>(async () =>
        {
            await Client.ChangeSettingsAsync("q", new QueueSettingsChange { Overflow = "reject", MaxMessages = 1 }).WithTimeout();
            await Client.PutManyAsync("q", Enumerable.Range(1, 2), ContractJson.Default.Int32).WithTimeout();
        });
        Assert.Equal((ProblemTypes.QueueFull, 429), (error.Type, error.Status));
    }

    [Fact]
    public async Task The_keys_of_a_queue_are_listed()
    {
        foreach (var key in (string[])["b", "a", "b"])
        {
            await Client.PutAsync("q", "1", new PutOptions { Key = key }).WithTimeout();
        }

        var leased = await Client.LeaseAsync("q", TimeSpan.FromSeconds(30)).WithTimeout();

        var keys = await AllAsync(Client.ListKeysAsync("q"));
        Assert.Equal(
            [("a", 1L, 0L, false), ("b", 1L, 1L, true)], keys.Select(static key => (key.Key, key.Ready, key.InFlight, key.Blocked)));
        Assert.True(keys[1].OldestAgeSeconds >= 0);
        var queue = await Client.GetQueueAsync("q").WithTimeout();
        Assert.Equal((2L, 1L), (queue!.Keys, queue.BlockedKeys));
        Assert.True(await leased!.AckAsync().WithTimeout());
        Assert.Empty(await AllAsync(Client.ListKeysAsync("none")));
    }

    [Fact]
    public async Task Queues_workers_and_the_node_are_listed()
    {
        await Client.PutManyAsync("a", Enumerable.Range(1, 3), ContractJson.Default.Int32).WithTimeout();
        await Client.PutAsync("b", "1").WithTimeout();
        await Client.RegisterWorkerAsync("a", "w").WithTimeout();

        Assert.Equal(["a", "b"], (await AllAsync(Client.ListQueuesAsync())).Select(static queue => queue.Queue));
        var queue = await Client.GetQueueAsync("a").WithTimeout();
        Assert.Equal((3L, 3L, "broadcast", "started"), (queue!.Ready, queue.Counters.Put, queue.Policy, queue.Status));
        Assert.Equal("w", Assert.Single((await Client.GetWorkersAsync().WithTimeout()).Workers).Worker);
        await Client.ForgetWorkerAsync("a", "w").WithTimeout();
        Assert.Empty((await Client.GetWorkersAsync().WithTimeout()).Workers);
        var stats = await Client.GetStatsAsync().WithTimeout();
        Assert.Equal((2L, 4L, "memory"), (stats.Queues, stats.Ready, stats.Node.Durability));
        Assert.Equal(3, await Client.PurgeAsync("a").WithTimeout());
        Assert.Equal(0, (await Client.GetQueueAsync("a").WithTimeout())!.Ready);
        var error = await Assert.ThrowsAsync<PushQueueException>(() => Client.PurgeAsync("none").WithTimeout());
        Assert.Equal(ProblemTypes.NotFound, error.Type);
    }

    private async Task PutToAllAsync(IEnumerable<string> queues, string text)
    {
        foreach (var queue in queues)
        {
            await Client.PutAsync(queue, text).WithTimeout();
        }
    }

    /// <summary>Reads until so many messages have a text. Also tells the cursor behind them.</summary>
    private static async Task<(List<(string Queue, string Text, long Offset)> Messages, string? Cursor)> ReadUntilAsync(
        MessageStream stream, string text, int count)
    {
        var read = new List<(string Queue, string Text, long Offset)>();
        await using var messages = stream.GetAsyncEnumerator();
        while (read.Count(message => message.Text == text) < count && await messages.MoveNextAsync().AsTask().WithTimeout())
        {
            read.Add((messages.Current.Queue, messages.Current.Text, messages.Current.Offset));
        }

        return (read, stream.Cursor);
    }

    private static async Task<Message> FirstAsync(MessageStream stream)
    {
        await using var messages = stream.GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
        return messages.Current;
    }

    private static async Task<List<T>> AllAsync<T>(IAsyncEnumerable<T> items)
    {
        var all = new List<T>();
        await foreach (var item in items)
        {
            all.Add(item);
        }

        return all;
    }

    internal sealed record Order(int Number, string Item);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Order))]
    [JsonSerializable(typeof(int))]
    internal sealed partial class ContractJson : JsonSerializerContext;
}
