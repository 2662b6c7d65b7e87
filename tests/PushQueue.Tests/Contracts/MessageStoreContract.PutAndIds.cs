using System.Globalization;
using System.Text;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task The_trace_context_stays_with_the_message_wherever_it_goes()
    {
        const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await Store.PutAsync(Queue, NewMessage("dead", id: "x") with { TraceParent = Trace }).AsTask().WithTimeout();
        Assert.Equal(Trace, (await LeaseOne()).Message.TraceParent);
        Time.Advance(Seconds(60));
        await Info();
        Assert.Equal(Trace, (await Store.FindAsync(DeadQueue, MessageId.Parse("x")).WithTimeout())?.TraceParent);
        await Store.PutManyAsync(Queue, [NewMessage("a") with { TraceParent = Trace }, NewMessage("b")]).AsTask().WithTimeout();
        if (Persists)
        {
            await ReopenAsync();
        }

        var broadcast = await Store.BroadcastAsync(Queue, 10, 1000).WithTimeout();

        Assert.Equal([Trace, null], broadcast.Select(static message => message.TraceParent));
        Assert.Equal(
            [Trace, null],
            (await Store.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout())!.Messages.Select(static message => message.TraceParent));
        Assert.Equal(Trace, (await Store.FindAsync(DeadQueue, MessageId.Parse("x")).WithTimeout())?.TraceParent);
    }

    [Fact]
    public void A_store_that_serves_says_what_it_is_and_no_reason_against_it()
    {
        Assert.NotEmpty(Store.Description);
        Assert.NotNull(Store.Durability);
        Assert.Null(Store.UnavailableReason);
    }

    [Fact]
    public async Task A_put_message_comes_out_with_everything_it_was_put_with()
    {
        var body = Enumerable.Range(0, 256).Select(value => (byte)value).ToArray();
        var put = new NewMessage
        {
            Body = body,
            ContentType = "image/x-odd; note=\"ü\"",
            Id = MessageId.Parse("invoices/2026/ü"),
            TimeToLive = Seconds(60),
            Priority = 7,
            UniqueKey = "customer 4",
            Key = "customer",
            Headers = Headers(("a", "1"), ("b", "2")),
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        };

        await TryPut(put);
        var taken = Assert.Single(await Take(10));

        Assert.Equal(body, taken.Body.ToArray());
        Assert.Equal(put.ContentType, taken.ContentType);
        Assert.Equal(put.Id, taken.Id);
        Assert.Equal(Queue, taken.Queue);
        Assert.Equal(Time.GetUtcNow(), taken.EnqueuedAt);
        Assert.Equal(Time.GetUtcNow(), taken.AvailableAt);
        Assert.Equal(Time.GetUtcNow() + Seconds(60), taken.ExpiresAt);
        Assert.Equal(7, taken.Priority);
        Assert.Equal("customer 4", taken.UniqueKey);
        Assert.Equal("customer", taken.Key);
        Assert.Equal(put.Headers, taken.Headers);
        Assert.Equal(put.TraceParent, taken.TraceParent);
        Assert.Equal(1, taken.Attempt);
        Assert.Null(taken.DeadLetter);
    }

    [Fact]
    public async Task A_broadcast_message_and_a_dead_letter_keep_the_trace_context_of_their_put()
    {
        const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        var put = new NewMessage { Body = "a"u8.ToArray(), ContentType = "text/plain", MaxAttempts = 1, TraceParent = Trace };

        await TryPut(put);
        Assert.Equal(Trace, Assert.Single(await Store.BroadcastAsync(Queue, 1, 100).WithTimeout()).TraceParent);
        Assert.Equal(Trace, Assert.Single((await Store.ReadHistoryAsync(Queue, 1, 1, 100).WithTimeout())!.Messages).TraceParent);
        await TryPut(put);
        var lease = Assert.Single((await Store.LeaseAsync(Queue, new LeaseRequest(1, 100, Seconds(1))).WithTimeout()).Value);
        await Store.ReleaseAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)], new ReleaseRequest()).WithTimeout();

        Assert.Equal(Trace, lease.Message.TraceParent);
        Assert.Equal(Trace, (await Store.LookAsync(Queue.DeadLetter).WithTimeout())!.TraceParent);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_000)]
    [InlineData(1024 * 1024)]
    public async Task A_body_of_any_size_comes_out_as_it_was_put(int bytes)
    {
        var body = new byte[bytes];
        new Random(bytes).NextBytes(body);

        await TryPut(new NewMessage { Body = body, ContentType = "application/octet-stream" });
        var found = (await Store.LookAsync(Queue).WithTimeout())!.Body.ToArray();
        var taken = Assert.Single(await Take(1)).Body.ToArray();

        Assert.Equal(body, found);
        Assert.Equal(body, taken);
    }

    [Fact]
    public async Task A_taken_message_is_gone()
    {
        var id = await Put("a");

        var first = await TakeAll();
        var second = await TakeAll();

        Assert.Equal(["a"], first);
        Assert.Empty(second);
        Assert.Null(await TryFind(id));
    }

    [Fact]
    public async Task A_take_gives_at_most_as_many_as_asked()
    {
        await PutAll("a", "b", "c");

        var two = BodiesOf(await Take(2));
        var rest = BodiesOf(await Take(2));

        Assert.Equal(["a", "b"], two);
        Assert.Equal(["c"], rest);
    }

    [Fact]
    public async Task Looks_and_takes_make_no_queue()
    {
        var none = await Take(1);
        var leases = await LeaseMany(1);
        await Store.LookAsync(Queue).WithTimeout();
        await Broadcast();
        await Browse(MessageState.Ready);
        await Cancel(MessageId.Parse("a"));

        Assert.Empty(none);
        Assert.Empty(leases);
        Assert.Null(await Store.GetQueueAsync(Queue).WithTimeout());
    }

    [Fact]
    public async Task A_put_makes_the_queue_and_it_stays_when_it_is_empty()
    {
        await Put("a");

        await TakeAll();

        Assert.Equal(0, (await Info()).Waiting);
    }

    [Fact]
    public async Task The_queues_own_ids_are_numbers_from_one_on()
    {
        var ids = new List<string>();

        for (var i = 0; i < 3; i++)
        {
            ids.Add((await Put("a")).ToString());
        }

        Assert.Equal(["1", "2", "3"], ids);
    }

    [Fact]
    public async Task A_number_is_not_given_again_when_its_message_is_gone()
    {
        var first = await Put("a");
        await TakeAll();

        var second = await Put("b");

        Assert.NotEqual(first, second);
    }

    [Fact]
    public async Task The_number_12_and_the_text_12_are_one_id()
    {
        MessageId last = default;
        for (var i = 0; i < 12; i++)
        {
            last = await Put("numbered");
        }

        var again = await TryPut(NewMessage("again", id: "12"));
        var found = await Find(MessageId.Parse("12"));

        Assert.Equal(MessageId.FromNumber(12), last);
        Assert.True(again.Value.Duplicate);
        Assert.Equal("numbered", BodyOf(found));
    }

    [Fact]
    public async Task Numbers_that_are_not_canonical_are_texts_of_their_own()
    {
        await Put("number");

        await Put("text", id: "01");

        Assert.Equal("number", BodyOf(await Find(MessageId.Parse("1"))));
        Assert.Equal("text", BodyOf(await Find(MessageId.Parse("01"))));
    }

    [Fact]
    public async Task Numbers_skip_ids_that_clients_have_taken()
    {
        await Put("by client", id: "2");

        var ids = new[] { await Put("a"), await Put("b"), await Put("c") };

        Assert.Equal(3, ids.Distinct().Count());
        Assert.DoesNotContain(MessageId.FromNumber(2), ids);
        Assert.Equal("by client", BodyOf(await Find(MessageId.FromNumber(2))));
    }

    [Fact]
    public async Task A_client_that_takes_the_largest_number_does_not_end_the_numbers()
    {
        await Put("by client", id: long.MaxValue.ToString(CultureInfo.InvariantCulture));

        var first = await Put("a");
        var second = await Put("b");

        Assert.True(first.IsNumber);
        Assert.True(first.Number > 0);
        Assert.NotEqual(first, second);
        Assert.Equal(3, (await Info()).Ready);
    }

    [Fact]
    public async Task An_id_that_is_live_is_a_duplicate_and_nothing_is_stored()
    {
        await Put("first", id: "x");

        var again = await TryPut(NewMessage("second", id: "x"));

        Assert.True(again.Value.Duplicate);
        Assert.Equal(MessageId.Parse("x"), again.Value.Id);
        Assert.Equal(["first"], await TakeAll());
    }

    [Fact]
    public async Task An_id_that_is_delayed_or_leased_is_live()
    {
        await Put("leased", id: "l");
        await LeaseOne();
        await Put("delayed", id: "d", delay: Seconds(10));

        var leased = await TryPut(NewMessage("again", id: "l"));
        var delayed = await TryPut(NewMessage("again", id: "d"));

        Assert.True(leased.Value.Duplicate);
        Assert.True(delayed.Value.Duplicate);
    }

    [Fact]
    public async Task Without_a_dedup_window_an_id_is_free_when_its_message_is_gone()
    {
        await Put("first", id: "x");
        await TakeAll();

        await Put("second", id: "x");

        Assert.Equal(["second"], await TakeAll());
    }

    [Fact]
    public async Task Ids_are_told_apart_by_every_character()
    {
        await Put("lower", id: "a");
        await Put("upper", id: "A");
        await Put("longest", id: new string('z', MessageId.BytesMax));

        var upper = await Find(MessageId.Parse("A"));
        var longest = await Find(MessageId.Parse(new string('z', MessageId.BytesMax)));

        Assert.Equal("upper", BodyOf(upper));
        Assert.Equal("longest", BodyOf(longest));
        Assert.Null(await TryFind(MessageId.Parse(new string('z', MessageId.BytesMax - 1))));
    }

    [Fact]
    public async Task The_dedup_window_outlives_the_message()
    {
        await Set(new QueueSettingsPatch { DedupWindow = Seconds(60) });
        await Put("first", id: "x");
        await TakeAll();
        Time.Advance(Seconds(59));

        var again = await TryPut(NewMessage("second", id: "x"));

        Assert.True(again.Value.Duplicate);
        Assert.Empty(await TakeAll());
    }

    [Fact]
    public async Task The_dedup_window_remembers_acked_cancelled_and_broadcast_ids()
    {
        await Set(new QueueSettingsPatch { DedupWindow = Seconds(60) });
        await Put("acked", id: "acked");
        await Ack(await LeaseOne());
        await Put("cancelled", id: "cancelled");
        await Cancel(MessageId.Parse("cancelled"));
        await Put("broadcast", id: "broadcast");
        await Broadcast();

        var again = await TryPutMany(NewMessage("a", id: "acked"), NewMessage("b", id: "cancelled"), NewMessage("c", id: "broadcast"));

        Assert.All(again.Value, outcome => Assert.True(outcome.Duplicate));
    }

    [Fact]
    public async Task The_dedup_window_ends()
    {
        await Set(new QueueSettingsPatch { DedupWindow = Seconds(60) });
        await Put("first", id: "x");
        await TakeAll();
        Time.Advance(Seconds(60));

        await Put("second", id: "x");

        Assert.Equal(["second"], await TakeAll());
    }

    [Fact]
    public async Task A_message_that_outlives_its_dedup_window_stays_a_duplicate()
    {
        await Set(new QueueSettingsPatch { DedupWindow = Seconds(5) });
        await Put("first", id: "x");
        Time.Advance(Seconds(60));

        var again = await TryPut(NewMessage("second", id: "x"));

        Assert.True(again.Value.Duplicate);
    }

    [Fact]
    public async Task The_dedup_window_outlives_a_reopen_and_then_ends()
    {
        await Set(new QueueSettingsPatch { DedupWindow = Seconds(60) });
        await Put("first", id: "x");
        await TakeAll();
        await ReopenAsync();

        var within = await TryPut(NewMessage("second", id: "x"));
        Time.Advance(Seconds(60));
        var after = await TryPut(NewMessage("third", id: "x"));

        Assert.True(within.Value.Duplicate);
        Assert.False(after.Value.Duplicate);
        Assert.Equal(["third"], await TakeAll());
    }

    [Fact]
    public async Task Numbers_go_on_after_a_reopen()
    {
        var before = await Put("a");
        await TakeAll();
        await ReopenAsync();

        var after = await Put("b");

        Assert.True(after.Number > before.Number);
    }

    [Fact]
    public async Task Queue_names_of_every_script_are_queues_of_their_own()
    {
        var other = QueueName.Parse(Queue + " ünï 🐇");
        await Put("a");

        await Store.PutAsync(other, NewMessage("b")).WithTimeout();

        Assert.Equal(["a"], await TakeAll());
        Assert.Equal(["b"], await TakeAll(other));
    }

    [Fact]
    public async Task A_look_leaves_the_message_and_counts()
    {
        await PutAll("a", "b");

        var first = await Store.LookAsync(Queue).WithTimeout();
        var second = await Store.LookAsync(Queue).WithTimeout();

        Assert.Equal("a", BodyOf(first!));
        Assert.Equal(1, first!.Looks);
        Assert.Equal(2, second!.Looks);
        Assert.Equal(["a", "b"], await TakeAll());
    }

    [Fact]
    public async Task A_look_sees_only_ready_messages()
    {
        await Put("delayed", delay: Seconds(10));
        await Put("leased");
        await LeaseOne();

        var seen = await Store.LookAsync(Queue).WithTimeout();

        Assert.Null(seen);
    }

    [Fact]
    public async Task A_message_is_found_by_id_in_every_state()
    {
        var leased = await Put("leased");
        await LeaseOne(Seconds(20));
        var ready = await Put("ready");
        var delayed = await Put("delayed", delay: Seconds(10));

        var found = new[] { await Find(leased), await Find(ready), await Find(delayed) };

        Assert.Equal([MessageState.Leased, MessageState.Ready, MessageState.Delayed], found.Select(message => message.State));
        Assert.Equal(Time.GetUtcNow() + Seconds(20), found[0].LeasedUntil);
        Assert.Null(found[1].LeasedUntil);
        Assert.Equal(Time.GetUtcNow() + Seconds(10), found[2].AvailableAt);
    }

    [Fact]
    public async Task Nothing_is_found_by_an_unknown_id()
    {
        await Put("a");

        var found = await TryFind(MessageId.Parse("nobody"));

        Assert.Null(found);
    }

    [Fact]
    public async Task Text_of_any_kind_survives_in_ids_keys_and_content_types()
    {
        const string Odd = "a/b?c=ü&d=%2F {} \"'\\ 🐇";
        var put = new NewMessage
        {
            Body = Encoding.UTF8.GetBytes(Odd),
            ContentType = Odd,
            Id = MessageId.Parse(Odd),
            UniqueKey = Odd,
        };

        await TryPut(put);
        var found = await Find(MessageId.Parse(Odd));

        Assert.Equal(Odd, found.ContentType);
        Assert.Equal(Odd, found.UniqueKey);
        Assert.Equal(Odd, BodyOf(found));
    }
}
