using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

/// <summary>Queues that go when nobody uses them.</summary>
public abstract partial class MessageStoreContract
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>Operations that count as use, and operations that do not.</summary>
    public static TheoryData<string, bool> Accesses => new()
    {
        { "put", true },
        { "put many", true },
        { "take", true },
        { "take of nothing", true },
        { "lease", true },
        { "ack", true },
        { "release", true },
        { "touch", true },
        { "cancel", true },
        { "reschedule", true },
        { "purge", true },
        { "broadcast", true },
        { "settings", true },
        { "keep", true },
        { "get queue", false },
        { "list queues", false },
        { "look", false },
        { "browse", false },
        { "find", false },
        { "newest", false },
        { "history", false },
        { "count due", false },
    };

    [Fact]
    public async Task A_queue_that_nobody_uses_goes_with_all_that_it_holds()
    {
        await Set(new QueueSettingsPatch { Expires = Hour, Policy = DeliveryPolicy.RoundRobin });
        var id = await Put("left over");

        Time.Advance(Hour - Minute);
        Assert.NotNull(await TryFind(id));
        Time.Advance(2 * Minute);

        await Listener.WaitForAsync(news => news is Deleted deleted && deleted.Queue == Queue).WithTimeout();
        await IsGoneAsync();
        Assert.DoesNotContain(Queue, (await Store.ListQueuesAsync(null, 1000).WithTimeout()).Queues.Select(static queue => queue.Name));
        Assert.Null(await TryFind(id));
        await Put("again");
        Assert.Equal(QueueSettings.Default, (await Info()).Settings);
    }

    [Theory]
    [MemberData(nameof(Accesses))]
    public async Task Use_keeps_a_queue_and_a_look_does_not(string access, bool isUse)
    {
        await Set(new QueueSettingsPatch { Expires = Hour });
        var id = await Put("one");
        Lease? lease = access is "ack" or "release" or "touch" ? await LeaseOne(Hour) : null;
        Time.Advance(Hour - Minute);

        await AccessAsync(access, id, lease);
        Time.Advance(2 * Minute);

        if (isUse)
        {
            Assert.NotNull(await Store.GetQueueAsync(Queue).WithTimeout());
            Time.Advance(Hour);
        }

        await IsGoneAsync();
    }

    [Fact]
    public async Task A_queue_stays_while_a_message_is_delayed_or_leased_and_for_its_time_after_that()
    {
        await Set(new QueueSettingsPatch { Expires = Hour });
        await Put("later", delay: 3 * Hour);

        Time.Advance((3 * Hour) + Seconds(1));
        Assert.Equal(1, (await Info()).Ready);
        Time.Advance(Hour - Minute);
        Assert.Equal(1, (await Info()).Ready);
        _ = await LeaseOne(5 * Hour);
        Time.Advance(4 * Hour);
        Assert.Equal(1, (await Info()).Leased);
        Time.Advance(Hour + Seconds(1));
        Assert.Equal(1, (await Info()).Ready);
        Time.Advance(Hour - Minute);
        Assert.Equal(1, (await Info()).Ready);
        Time.Advance(2 * Minute);

        await IsGoneAsync();
    }

    [Fact]
    public async Task A_queue_to_which_somebody_is_connected_stays()
    {
        await Set(new QueueSettingsPatch { Expires = Hour });
        Listener.IsInUse = true;

        Time.Advance(3 * Hour);
        Assert.NotNull(await Store.GetQueueAsync(Queue).WithTimeout());

        Listener.IsInUse = false;
        Time.Advance(Hour);
        Time.Advance(Minute);
        await IsGoneAsync();
    }

    [Fact]
    public async Task A_queue_that_is_kept_ahead_goes_its_time_after_that()
    {
        await Set(new QueueSettingsPatch { Expires = Hour });
        await Store.KeepAsync(Queue, 5 * Minute).WithTimeout();

        Time.Advance(Hour + (4 * Minute));
        Assert.NotNull(await Store.GetQueueAsync(Queue).WithTimeout());
        Time.Advance(2 * Minute);

        await IsGoneAsync();
    }

    [Fact]
    public async Task A_queue_whose_setting_is_zero_or_was_never_set_stays()
    {
        await Put("for ever");
        Time.Advance(TimeSpan.FromDays(400));
        Assert.Equal(1, (await Info()).Ready);

        await Set(new QueueSettingsPatch { Expires = Hour });
        Assert.Equal(Hour, (await Set(new QueueSettingsPatch { Expires = Minute, Condition = SettingsCondition.UndecidedExpiry })).Expires);
        await Set(new QueueSettingsPatch { Expires = TimeSpan.Zero });
        Time.Advance(TimeSpan.FromDays(400));

        Assert.Equal(1, (await Info()).Ready);
        await Store.KeepAsync(QueueName.Parse($"{Queue}.absent"), Hour).WithTimeout();
        Assert.Null(await Store.GetQueueAsync(QueueName.Parse($"{Queue}.absent")).WithTimeout());
    }

    [Fact]
    public async Task The_setting_and_the_time_without_use_outlive_an_orderly_stop()
    {
        await Set(new QueueSettingsPatch { Expires = Hour });
        await Put("one");
        Time.Advance(50 * Minute);
        await ReopenAsync();

        Assert.Equal(Hour, (await Info()).Settings.Expires);
        Time.Advance(9 * Minute);
        Assert.NotNull(await Store.GetQueueAsync(Queue).WithTimeout());
        Time.Advance(2 * Minute);

        await IsGoneAsync();
    }

    [Fact]
    public async Task A_queue_that_expired_while_nobody_served_it_stays_until_its_clients_can_come_back()
    {
        await Set(new QueueSettingsPatch { Expires = Hour });
        Assert.SkipUnless(Persists, "This store keeps nothing when it is closed.");
        await CloseAsync();
        Time.Advance(TimeSpan.FromDays(1));
        await OpenAsync();

        Time.Advance(Minute);
        await Put("back");
        Time.Advance(Hour - Minute);

        Assert.Equal(1, (await Info()).Ready);
    }

    /// <summary>A store that several nodes share deletes a moment after its time has come.</summary>
    private Task IsGoneAsync() => Eventually.TrueAsync(
        async () => await Store.GetQueueAsync(Queue).WithTimeout() is null, "the queue is gone");

    private async Task AccessAsync(string access, MessageId id, Lease? lease)
    {
        switch (access)
        {
            case "put":
                await Put("two");
                break;
            case "put many":
                Assert.True((await TryPutMany(NewMessage("two"), NewMessage("three"))).Ok);
                break;
            case "take":
                Assert.Single(await Take(1));
                break;
            case "take of nothing":
                Assert.Single(await Take(1));
                Time.Advance(Minute / 2);
                Assert.Empty(await Take(1));
                break;
            case "lease":
                _ = await LeaseOne(Seconds(1));
                break;
            case "ack":
                Assert.Equal(QueueError.None, await Ack(lease!.Value));
                break;
            case "release":
                Assert.Equal(QueueError.None, await Release(lease!.Value, new ReleaseRequest(CountsAsAttempt: false)));
                break;
            case "touch":
                Assert.Equal(QueueError.None, await Touch(lease!.Value, Seconds(1)));
                break;
            case "cancel":
                Assert.True(await Cancel(id));
                break;
            case "reschedule":
                Assert.True(await Reschedule(id, TimeSpan.Zero));
                break;
            case "purge":
                Assert.Equal(1, (await Store.PurgeAsync(Queue, 10).WithTimeout()).Value);
                break;
            case "broadcast":
                Assert.Single(await Broadcast());
                break;
            case "settings":
                await Set(new QueueSettingsPatch { MaxAttempts = 7 });
                break;
            case "keep":
                await Store.KeepAsync(Queue, TimeSpan.Zero).WithTimeout();
                break;
            case "get queue":
                _ = await Info();
                break;
            case "list queues":
                _ = await Store.ListQueuesAsync(null, 1000).WithTimeout();
                break;
            case "look":
                Assert.NotNull(await Store.LookAsync(Queue).WithTimeout());
                break;
            case "browse":
                Assert.Single(await Browse(MessageState.Ready));
                break;
            case "find":
                _ = await Find(id);
                break;
            case "newest":
                Assert.Single(await Store.NewestAsync(Queue, 10).WithTimeout());
                break;
            case "history":
                _ = await History(1);
                break;
            default:
                Assert.Equal(1, await Store.CountDueAsync(Queue, Time.GetUtcNow()).WithTimeout());
                break;
        }
    }
}
