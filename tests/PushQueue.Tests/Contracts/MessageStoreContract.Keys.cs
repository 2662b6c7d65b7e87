using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task While_a_message_of_a_key_is_leased_the_others_of_the_key_wait()
    {
        await PutKeyed("a1", "a2", "b1", "-1");

        Assert.Equal(["a1", "b1", "-1"], (await LeaseMany(10)).Select(static lease => BodyOf(lease.Message)));
        Assert.Empty(await LeaseMany(10));
        Assert.Empty(await TakeAll());
        Assert.Null(await Store.LookAsync(Queue).WithTimeout());
        Assert.Empty(await Store.BroadcastAsync(Queue, 10, 1000).WithTimeout());
        var info = await Info();
        Assert.Equal((1, 3, 2, 1), (info.Ready, info.Leased, info.Keys, info.BlockedKeys));
    }

    [Fact]
    public async Task A_key_continues_when_its_message_is_acked()
    {
        await PutKeyed("a1", "a2", "a3");
        var first = await LeaseOne();
        Listener.Clear();

        await Ack(first);

        await Listener.WaitForAsync<BecameReady>(Queue);
        var second = await LeaseOne();
        Assert.Equal("a2", BodyOf(second.Message));
        Assert.Empty(await LeaseMany(10));
        await Ack(second);
        Assert.Equal(["a3"], await TakeAll());
        Assert.Equal((0, 0), ((await Info()).Keys, (await Info()).BlockedKeys));
    }

    [Fact]
    public async Task A_key_continues_when_its_message_is_dead_lettered_cancelled_or_purged()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await PutKeyed("a1", "a2", "a3");
        await Release(await LeaseOne());
        var second = await LeaseOne();
        Assert.Equal("a2", BodyOf(second.Message));

        await Store.CancelAsync(Queue, second.Message.Id).WithTimeout();

        Assert.Equal("a3", BodyOf((await LeaseOne()).Message));
        Assert.Equal(1, (await Store.PurgeAsync(Queue, 10).WithTimeout()).Value);
        await PutKeyed("a4");
        Assert.Equal(["a4"], await TakeAll());
        Assert.Equal("a", (await Store.BrowseAsync(DeadQueue, MessageState.Dead, null, 10).WithTimeout()).Value.Messages.Single().Key);
    }

    [Fact]
    public async Task A_key_continues_with_the_same_message_when_its_lease_runs_out()
    {
        await PutKeyed("a1", "a2");
        await LeaseOne(Seconds(30));

        Time.Advance(Seconds(30));

        var again = await LeaseOne();
        Assert.Equal(("a1", 2), (BodyOf(again.Message), again.Message.Attempt));
        Assert.Empty(await LeaseMany(10));
    }

    [Fact]
    public async Task A_message_that_is_given_back_keeps_its_place_and_its_key_waits_for_it()
    {
        await PutKeyed("a1", "a2", "b1");
        await Release(await LeaseOne(), new ReleaseRequest(Delay: Seconds(60)));

        Assert.Equal(["b1"], (await LeaseMany(10)).Select(static lease => BodyOf(lease.Message)));
        Assert.Equal(1, (await Info()).BlockedKeys);
        await PutKeyed("a3");
        Time.Advance(Seconds(60));

        Assert.Equal(["b1", "a1", "a2", "a3"], await TakeAll());
    }

    [Fact]
    public async Task The_order_of_a_key_survives_a_restart_in_any_state()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 9 });
        await PutKeyed("a1", "a2", "b1", "b2", "c1", "c2");
        var leases = await LeaseMany(3);
        await Release(leases[0], new ReleaseRequest(Delay: Seconds(60)));
        await Release(leases[1]);

        await ReopenAsync();

        var second = await LeaseMany(10);
        Assert.Equal(["b1"], second.Select(static lease => BodyOf(lease.Message)));
        Assert.Equal((3, 1, 2), ((await Info()).Ready, (await Info()).Delayed, (await Info()).Leased));
        Assert.Equal(3, (await Info()).BlockedKeys);
        Assert.Equal(
            QueueError.None, (await Store.AckAsync(Queue, [new LeaseKey(leases[2].Message.Id, leases[2].Receipt)]).WithTimeout())[0]);
        await Ack(second[0]);
        Assert.Equal(["b2", "c2"], await TakeAll());
        Time.Advance(Seconds(60));
        Assert.Equal(["a1", "a2"], await TakeAll());
    }

    [Fact]
    public async Task A_priority_does_not_pass_others_of_its_key_but_other_keys()
    {
        await TryPut(NewMessage("a1") with { Key = "a" });
        await TryPut(NewMessage("a2", priority: 9) with { Key = "a" });
        await TryPut(NewMessage("b1", priority: 5) with { Key = "b" });
        await TryPut(NewMessage("-1"));

        Assert.Equal(["b1", "a1", "a2", "-1"], await TakeAll());
    }

    [Fact]
    public async Task A_delayed_message_joins_its_key_when_it_falls_due()
    {
        await TryPut(NewMessage("a1", delay: Seconds(10)) with { Key = "a" });
        await PutKeyed("a2");
        var second = await LeaseOne();
        await PutKeyed("a3");
        Time.Advance(Seconds(10));
        await PutKeyed("a4");

        Assert.Equal("a2", BodyOf(second.Message));
        await Ack(second);
        Assert.Equal(["a3", "a1", "a4"], await TakeAll());
    }

    [Fact]
    public async Task Takes_and_broadcasts_respect_the_order_of_keys_and_block_none()
    {
        await PutKeyed("a1", "a2", "b1", "-1", "a3");
        Assert.Equal(["a1", "a2", "b1"], (await Take(3)).Select(BodyOf));

        Assert.Equal(["-1", "a3"], (await Store.BroadcastAsync(Queue, 10, 1000).WithTimeout()).Select(BodyOf));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(0)]
    public async Task As_many_messages_of_a_key_are_in_flight_as_the_queue_allows(int limit)
    {
        await Set(new QueueSettingsPatch { KeyInFlight = limit });
        await PutKeyed("a1", "a2", "a3", "a4", "b1");

        var leased = await LeaseMany(10);

        var most = limit == 0 ? 4 : limit;
        Assert.Equal(most, leased.Count(static lease => lease.Message.Key == "a"));
        Assert.Equal(most + 1, leased.Count);
        await Ack(leased[0]);
        Assert.Equal(limit == 0 ? 0 : 1, (await LeaseMany(10)).Count);
    }

    [Fact]
    public async Task Another_limit_applies_to_the_messages_that_wait()
    {
        await PutKeyed("a1", "a2", "a3", "a4", "-1");
        await LeaseOne();

        await Set(new QueueSettingsPatch { KeyInFlight = 3 });
        Assert.Equal(["a2", "a3", "a4", "-1"], await Browse(MessageState.Ready));
        await Set(new QueueSettingsPatch { KeyInFlight = 1 });
        Assert.Equal(["-1"], (await LeaseMany(10)).Select(static lease => BodyOf(lease.Message)));
        await Set(new QueueSettingsPatch { KeyInFlight = 2 });
        Assert.Equal(["a2"], (await LeaseMany(10)).Select(static lease => BodyOf(lease.Message)));
        await Set(new QueueSettingsPatch { KeyInFlight = 0 });
        Assert.Equal(["a3", "a4"], (await LeaseMany(10)).Select(static lease => BodyOf(lease.Message)));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0)]
    public async Task A_lower_limit_stops_no_key_of_which_several_messages_were_leased(int before)
    {
        await Set(new QueueSettingsPatch { KeyInFlight = before });
        await PutKeyed("a1", "a2", "a3", "a4");
        var leased = await LeaseMany(3);
        Assert.Equal(3, leased.Count);
        await Set(new QueueSettingsPatch { KeyInFlight = 1 });

        foreach (var lease in leased)
        {
            Assert.Empty(await LeaseMany(10));
            await Release(lease);
        }

        Assert.Equal(["a1"], (await LeaseMany(10)).Select(static lease => BodyOf(lease.Message)));
        Assert.Equal(1, (await Info()).BlockedKeys);
    }

    [Fact]
    public async Task A_message_that_keeps_an_earlier_time_stands_before_the_others_of_its_key()
    {
        await PutKeyed("a3", "b1");
        await TryPutMany(Keeping("a2", -20), Keeping("a1", -30));

        Assert.Equal(["a1"], (await LeaseMany(1)).Select(static lease => BodyOf(lease.Message)));
        Time.Advance(Seconds(30));
        Assert.Equal(["a1", "a2", "a3"], (await TakeAll()).Where(static body => body[0] == 'a'));
    }

    [Fact]
    public async Task A_message_returns_before_others_that_came_before_the_next_one_of_its_key()
    {
        await Set(new QueueSettingsPatch { KeyInFlight = 2 });
        await TryPut(Keeping("a1", -30));
        var first = await LeaseOne();
        await PutKeyed("a3");
        await TryPut(Keeping("a2", -20));

        Assert.Equal(QueueError.None, await Release(first));

        Assert.Equal(["a1", "a2", "a3"], await TakeAll());
        Assert.Equal((0, 0), ((await Info()).Keys, (await Info()).Leased));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Messages_without_a_key_that_come_back_join_the_turns_at_their_end(bool delayed)
    {
        await Set(new QueueSettingsPatch { Fair = true });
        await PutKeyed("-1");
        var plain = await LeaseOne();
        await PutKeyed("a1", "b1");

        await Release(plain, new ReleaseRequest(Delay: Seconds(delayed ? 10 : 0)));
        Time.Advance(Seconds(delayed ? 10 : 0));

        Assert.Equal(["a1", "b1", "-1"], await TakeAll());
    }

    [Fact]
    public async Task Keys_take_turns_where_the_queue_is_fair()
    {
        await Set(new QueueSettingsPatch { Fair = true, KeyInFlight = 0 });
        await PutKeyed("a1", "a2", "a3", "a4", "b1", "b2", "-1", "-2", "c1");

        Assert.Equal(["a1", "b1", "-1", "c1"], (await LeaseMany(4)).Select(static lease => BodyOf(lease.Message)));
        await PutKeyed("c2");
        Assert.Equal(["a2", "b2", "-2", "c2", "a3", "a4"], await TakeAll());
    }

    [Fact]
    public async Task A_key_that_waited_for_its_message_joins_the_turns_at_their_end()
    {
        await Set(new QueueSettingsPatch { Fair = true });
        await PutKeyed("a1", "a2", "b1", "b2", "c1", "c2");
        var first = await LeaseOne();
        var second = await LeaseOne();
        await Ack(second);
        await Ack(first);

        Assert.Equal(["c1", "b2", "a2"], (await LeaseMany(10)).Select(static lease => BodyOf(lease.Message)));
    }

    [Fact]
    public async Task Turns_begin_and_end_with_the_setting()
    {
        await PutKeyed("a1", "a2", "b1", "-1", "-2");
        var leased = await LeaseOne();

        await Set(new QueueSettingsPatch { Fair = true });
        Assert.Equal((4, 1), ((await Info()).Ready, (await Info()).BlockedKeys));
        Assert.Equal(2, (await Take(2)).Count);
        await Set(new QueueSettingsPatch { Fair = false });

        Assert.Single(await TakeAll());
        await Ack(leased);
        Assert.Equal(["a2"], await TakeAll());
    }

    [Fact]
    public async Task Keys_are_listed_by_page_with_what_they_have()
    {
        await PutKeyed("c1", "a1", "a2", "b1");
        Time.Advance(Seconds(5));
        await PutKeyed("a3", "-1");
        await TryPut(NewMessage("b2", delay: Seconds(60)) with { Key = "b" });
        await TryPut(NewMessage("u1", delay: Seconds(60)) with { Key = "\U0001F986" });
        await TryPut(NewMessage("u2") with { Key = "\uFB01" });
        var leased = await LeaseMany(3);
        await Release(leased[2], new ReleaseRequest(Delay: Seconds(60)));

        var first = await Store.ListKeysAsync(Queue, null, 2).WithTimeout();
        var second = await Store.ListKeysAsync(Queue, first.Next, 3).WithTimeout();

        Assert.Equal(
            [new KeyInfo("a", 2, 0, 1, Blocked: true, Time.GetUtcNow() - Seconds(5)), new KeyInfo("b", 0, 2, 0, Blocked: false, null)],
            first.Keys);
        Assert.Equal("b", first.Next);
        Assert.Equal(["c", "\uFB01", "\U0001F986"], second.Keys.Select(static key => key.Key));
        Assert.Null(second.Next);
        Assert.Equal([0L, 1, 0], second.Keys.Select(static key => key.Ready));
        Assert.Empty((await Store.ListKeysAsync(QueueName.Parse(Queue + ".unknown"), null, 10).WithTimeout()).Keys);
        Assert.Equal((5, 1), ((await Info()).Keys, (await Info()).BlockedKeys));
    }

    [Fact]
    public async Task A_blocked_message_can_be_found_browsed_cancelled_rescheduled_dropped_and_expires()
    {
        await PutKeyed("a1", "a2", "a3", "a4");
        await TryPut(NewMessage("a5", ttl: Seconds(20)) with { Key = "a" });
        var leased = await LeaseOne(Seconds(600));
        var waiting = (await Store.BrowseAsync(Queue, MessageState.Ready, null, 10).WithTimeout()).Value.Messages;
        var ids = waiting.ToDictionary(BodyOf, static message => message.Id);
        Assert.Equal(["a2", "a3", "a4", "a5"], ids.Keys);

        Assert.Equal(MessageState.Ready, (await Find(ids["a2"])).State);
        Assert.True((await Store.CancelAsync(Queue, ids["a3"]).WithTimeout()).Value);
        Assert.True((await Store.RescheduleAsync(Queue, ids["a2"], Time.GetUtcNow() + Seconds(5)).WithTimeout()).Value);
        Time.Advance(Seconds(20));
        Assert.Equal(["a4", "a2"], await Browse(MessageState.Ready));
        await Set(new QueueSettingsPatch { MaxMessages = 3, Overflow = FullQueuePolicy.DropOldest });
        await PutKeyed("a6");
        await Ack(leased);

        Assert.Equal(["a2", "a6"], await TakeAll());
        Assert.Equal(0, (await Info()).Keys);
    }

    [Fact]
    public async Task Dead_letters_of_a_key_rest_side_by_side_and_come_back_to_its_end()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await PutKeyed("a1", "a2", "a3", "a4");
        await Release(await LeaseOne());
        await Release(await LeaseOne());
        Assert.Equal(2, (await Store.LeaseAsync(DeadQueue, new LeaseRequest(10, 1000, Seconds(1))).WithTimeout()).Value.Count);
        Time.Advance(Seconds(1));
        var third = await LeaseOne();

        Assert.Equal(2, (await Store.ReplayAsync(DeadQueue, null, 10).WithTimeout()).Value);

        Assert.Equal((3, 1), ((await Info()).Ready, (await Info()).BlockedKeys));
        await Ack(third);
        Assert.Equal(["a4", "a1", "a2"], await TakeAll());
    }

    [Fact]
    public async Task Messages_of_many_keys_are_worked_on_in_order_by_many_takers_at_once()
    {
        const int Keys = 7;
        const int PerKey = 12;
        for (var i = 0; i < PerKey; i++)
        {
            await TryPutMany([.. Enumerable.Range(0, Keys).Select(key => NewMessage($"{i}") with { Key = $"k{key}" })]);
        }

        var done = new List<(string Key, int Number)>();
        var inFlight = new HashSet<string>();
        var both = new Lock();
        var twice = new List<string>();
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(WorkAsync))).WithTimeout();

        async Task WorkAsync()
        {
            while (twice.Count == 0 && (await Info()).Waiting > 0)
            {
                var leases = (await Store.LeaseAsync(Queue, new LeaseRequest(3, 1000, Seconds(600))).WithTimeout()).Value;
                lock (both)
                {
                    twice.AddRange(leases.Select(static lease => lease.Message.Key!).Where(key => !inFlight.Add(key)));
                    done.AddRange(leases.Select(static lease => (lease.Message.Key!, int.Parse(BodyOf(lease.Message)))));
                }

                await Task.Yield();
                lock (both)
                {
                    inFlight.ExceptWith(leases.Select(static lease => lease.Message.Key!));
                }

                if (leases.Count > 0)
                {
                    await Store.AckAsync(Queue, [.. leases.Select(static lease => new LeaseKey(lease.Message.Id, lease.Receipt))])
                        .WithTimeout();
                }
            }
        }

        Assert.Empty(twice);
        Assert.Equal(Keys * PerKey, done.Count);
        Assert.All(done.GroupBy(static entry => entry.Key), static of =>
            Assert.Equal(Enumerable.Range(0, PerKey), of.Select(entry => entry.Number)));
    }

    /// <summary>Puts messages whose first letter is their key; those that begin with a dash have none.</summary>
    [Fact]
    public async Task A_take_with_a_filter_does_not_get_a_message_that_waits_for_others_of_its_key()
    {
        await PutMatching("a", "a1", "no");
        await PutMatching("a", "a2", "yes");
        await PutMatching("b", "b1", "yes");
        await PutMatching("b", "b2", "yes");

        Assert.Equal(["b1", "b2"], await TakeWhere(10, "match=yes"));
        Assert.Empty(await TakeWhere(10, "match=yes"));
        var leased = await LeaseOne();
        Assert.Equal("a1", BodyOf(leased.Message));
        Assert.Empty(await TakeWhere(10, "match=yes"));
        await Ack(leased);
        Assert.Equal(["a2"], await TakeWhere(10, "match=yes"));
        Assert.Equal((0, 0), ((await Info()).Keys, (await Info()).Ready));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lease_with_a_filter_keeps_to_the_limit_of_a_key_and_to_its_order(bool fair)
    {
        await Set(new QueueSettingsPatch { KeyInFlight = 2, Fair = fair });
        await PutMatching("a", "a1", "yes");
        await PutMatching("a", "a2", "yes", priority: 5);
        await PutMatching("a", "a3", "yes");
        await PutMatching("b", "b1", "no");
        await PutMatching("b", "b2", "yes", priority: 9);
        await PutMatching(null, "-1", "yes");

        var leased = await LeaseWhere(10, "match=yes");
        Assert.Equal(["a1", "a2", "-1"], leased.Select(static lease => BodyOf(lease.Message)));
        Assert.Empty(await LeaseWhere(10, "match=yes"));
        Listener.Clear();
        await Ack(leased[1]);
        await Listener.WaitForAsync<BecameReady>(Queue);
        Assert.Equal(["a3"], (await LeaseWhere(10, "match=yes")).Select(static lease => BodyOf(lease.Message)));
        Assert.Equal(["b1", "b2"], await TakeAll());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_message_at_the_front_of_a_key_is_announced_to_those_who_search_with_a_filter(bool fair)
    {
        await Set(new QueueSettingsPatch { Fair = fair });
        await PutMatching("a", "a1", "no");
        await PutMatching("a", "a2", "yes");
        Assert.Empty(await TakeWhere(1, "match=yes"));
        Listener.Clear();

        Assert.Equal(["a1"], await TakeWhere(1, "match=no"));

        await Listener.WaitForAsync<BecameReady>(Queue);
        Assert.Equal(["a2"], await TakeWhere(1, "match=yes"));
    }

    private NewMessage Keeping(string body, int seconds) => NewMessage(body) with
    {
        Key = body[..1],
        AvailableAt = Time.GetUtcNow() + Seconds(seconds),
        KeepsPastTime = true,
    };

    private Task PutMatching(string? key, string body, string match, byte priority = 0) =>
        TryPut(With(body, ("match", match)) with { Key = key, Priority = priority });

    private async Task PutKeyed(params string[] bodies)
    {
        foreach (var body in bodies)
        {
            Assert.True((await TryPut(NewMessage(body) with { Key = body[0] == '-' ? null : body[..1] })).Ok);
        }
    }
}
