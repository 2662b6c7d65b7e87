using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_take_with_a_filter_gets_the_oldest_that_match_and_leaves_the_others_in_their_places()
    {
        await PutWith("a", ("tenant", "7"));
        await PutWith("b", ("tenant", "8"));
        await Put("c");
        await PutWith("d", ("tenant", "7"), ("region", "eu"));
        await PutWith("e", ("tenant", "9"));

        Assert.Equal(["b"], await TakeWhere(1, "tenant=8"));
        Assert.Empty(await TakeWhere(5, "tenant=8"));
        Assert.Equal(["d"], await TakeWhere(5, "tenant=7", "region"));
        Assert.Equal(["a", "e"], await TakeWhere(5, "tenant=7|9"));
        Assert.Equal(["c"], await TakeAll());
    }

    [Fact]
    public async Task A_filter_keeps_the_order_of_the_queue()
    {
        await PutWith("late", ("t", "1"));
        await TryPut(With("urgent", ("t", "1")) with { Priority = 5 });
        await TryPut(With("other", ("t", "2")) with { Priority = 9 });
        await TryPut(With("delayed", ("t", "1")) with { AvailableAt = Time.GetUtcNow() + Seconds(10) });

        Assert.Equal(["urgent", "late"], await TakeWhere(10, "t=1"));
        Time.Advance(Seconds(10));
        Assert.Equal(["delayed"], await TakeWhere(10, "t=1"));
    }

    [Fact]
    public async Task A_lease_with_a_filter_ends_as_any_other_and_its_message_returns_to_its_place()
    {
        await PutWith("a", ("t", "1"));
        await PutWith("b", ("t", "2"));
        await PutWith("c", ("t", "2"));
        await PutWith("d", ("t", "1"));

        var leased = await LeaseWhere(10, "t=2");
        Assert.Equal(["b", "c"], leased.Select(static lease => BodyOf(lease.Message)));
        Assert.Equal(
            ["a", "d"], (await Store.BrowseAsync(Queue, MessageState.Ready, null, 10).WithTimeout()).Value.Messages.Select(BodyOf));
        await Release(leased[1]);
        Assert.Equal(QueueError.None, (await Store.AckAsync(Queue, [KeyOf(leased[0])]).WithTimeout())[0]);
        Assert.Equal(["c"], (await LeaseWhere(10, "t=2")).Select(static lease => BodyOf(lease.Message)));
        Time.Advance(Seconds(60));

        Assert.Equal(["a", "c", "d"], await TakeAll());
        Assert.Equal(2, (await Info()).Counters.Failed);
    }

    [Fact]
    public async Task What_a_filter_took_from_the_middle_survives_a_reopen_cancel_and_reschedule()
    {
        await PutWith("a");
        await TryPut(With("b", ("t", "2")) with { Id = MessageId.Parse("b"), TimeToLive = Seconds(300) });
        await TryPut(With("c", ("t", "2")) with { Id = MessageId.Parse("c"), UniqueKey = "u", Key = "k" });
        await TryPut(With("d", ("t", "2")) with { Id = MessageId.Parse("d") });
        await PutWith("e");

        var leased = await LeaseWhere(3, "t=2");
        if (Persists)
        {
            await ReopenAsync();
        }

        Time.Advance(Seconds(1));
        Assert.True((await Store.CancelAsync(Queue, MessageId.Parse("d")).WithTimeout()).Value);
        Assert.True((await Store.RescheduleAsync(Queue, MessageId.Parse("c"), Time.GetUtcNow()).WithTimeout()).Value);
        Assert.Equal(QueueError.UniqueKeyTaken, (await TryPut(NewMessage("again", uniqueKey: "u"))).Error);
        await Release(leased[0]);
        Assert.Equal(["a", "b", "e", "c"], await TakeAll());
        Assert.Equal(0, (await Info()).Bytes);
    }

    [Fact]
    public async Task A_message_from_the_middle_that_expires_while_it_is_leased_is_dropped_when_it_returns()
    {
        await PutWith("a");
        await TryPut(With("b", ("t", "2")) with { TimeToLive = Seconds(40) });

        var leased = Assert.Single(await LeaseWhere(1, "t=2"));
        Time.Advance(Seconds(41));

        Assert.Equal(QueueError.LeaseLost, (await Store.AckAsync(Queue, [KeyOf(leased)]).WithTimeout()).Select(static error =>
            error == QueueError.NotFound ? QueueError.LeaseLost : error).Single());
        Assert.Equal(["a"], await TakeAll());
        Assert.Equal(1, (await Info()).Counters.Expired);
    }

    [Fact]
    public async Task A_filter_finds_a_message_behind_thousands_that_do_not_match()
    {
        const int Others = 2500;
        await Store.PutManyAsync(Queue, [.. Enumerable.Range(0, Others).Select(_ => With("other", ("t", "1")))]).WithTimeout();
        await PutWith("first", ("t", "2"));
        await PutWith("second", ("t", "2"));

        Assert.Equal(["first"], (await LeaseWhere(1, "t=2")).Select(static lease => BodyOf(lease.Message)));
        Assert.Equal(["second"], await TakeWhere(3, "t=2"));
        Assert.Equal(Others, (await Info()).Ready);
    }

    [Fact]
    public async Task A_take_with_a_filter_looks_at_the_first_ten_thousand_only()
    {
        await Store.PutManyAsync(Queue, [.. Enumerable.Range(0, MessageFilter.SearchMax).Select(_ => With("x", ("t", "1")))]).WithTimeout();
        await PutWith("found", ("t", "2"));

        Assert.Empty(await TakeWhere(1, "t=2"));
        await Take(1);
        Assert.Equal(["found"], await TakeWhere(1, "t=2"));
    }

    [Fact]
    public async Task Large_bodies_of_matching_messages_count_and_those_of_others_do_not()
    {
        await TryPut(With("", ("t", "1")) with { Body = new byte[100_000] });
        await PutWith("small", ("t", "2"));

        var small = await Store.TakeAsync(Queue, 1, int.MaxValue, Where("t=2"), bytesAtOnce: 1000).WithTimeout();
        var large = await Store.TakeAsync(Queue, 1, int.MaxValue, Where("t=1"), bytesAtOnce: 1000).WithTimeout();

        Assert.Equal("small", BodyOf(Assert.Single(small.Value)));
        Assert.Equal(QueueError.TooLargeAtOnce, large.Error);
    }

    [Fact]
    public async Task A_filtered_take_of_a_stopped_queue_is_refused()
    {
        await PutWith("a", ("t", "1"));
        await Set(new QueueSettingsPatch { Stopped = true });

        Assert.Equal(QueueError.QueueStopped, (await Store.TakeAsync(Queue, 1, 1000, Where("t=1")).WithTimeout()).Error);
        Assert.Equal(
            QueueError.QueueStopped,
            (await Store.LeaseAsync(Queue, new LeaseRequest(1, 1000, Seconds(1), Selection: Where("t=1"))).WithTimeout()).Error);
    }

    [Fact]
    public async Task A_put_notifies_although_messages_that_do_not_match_are_ready()
    {
        await PutWith("other", ("t", "1"));
        Assert.Empty(await TakeWhere(1, "t=2"));
        Listener.Clear();

        await PutWith("match", ("t", "2"));

        await Listener.WaitForAsync<BecameReady>(Queue);
    }

    private static Selection Where(params string[] conditions)
    {
        Assert.True(MessageFilter.TryParse(conditions, out var filter, out var whyNot), whyNot);
        return Selection.Where(filter);
    }

    private async Task<string[]> TakeWhere(int count, params string[] conditions) =>
        BodiesOf((await Store.TakeAsync(Queue, count, int.MaxValue, Where(conditions)).WithTimeout()).Value);

    private async Task<IReadOnlyList<Lease>> LeaseWhere(int count, params string[] conditions) =>
        (await Store.LeaseAsync(Queue, new LeaseRequest(count, int.MaxValue, Seconds(30), Selection: Where(conditions)))
            .WithTimeout()).Value;

    private NewMessage With(string body, params (string Name, string Value)[] headers) =>
        NewMessage(body) with { Headers = headers.Length == 0 ? null : Headers(headers) };

    private async Task PutWith(string body, params (string Name, string Value)[] headers) =>
        Assert.True((await TryPut(With(body, headers))).Ok);

    [Fact]
    public async Task Filters_that_take_thousands_from_the_middle_leave_the_others_in_their_order()
    {
        await Store.PutManyAsync(
            Queue, [.. Enumerable.Range(0, 6000).Select(number => With($"{number}", ("t", $"{number % 2}")))]).WithTimeout();
        for (var taken = 0; taken < 3000; taken += 300)
        {
            Assert.Equal(300, (await TakeWhere(300, "t=1")).Length);
        }

        await TakeWhere(100, "t=0");
        await PutWith("last", ("t", "1"));

        Assert.Equal(["last"], await TakeWhere(10, "t=1"));
        Assert.Equal(Enumerable.Range(100, 2900).Select(static number => $"{2 * number}"), BodiesOf(await Take(6000)));
    }
}
