using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_settings_change_makes_the_queue()
    {
        var settings = await Set(new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });

        var info = await Info();
        Assert.Equal(DeliveryPolicy.RoundRobin, settings.Policy);
        Assert.Equal(settings, info.Settings);
        Assert.Equal(0, info.Waiting);
    }

    [Fact]
    public async Task A_new_queue_has_the_default_settings()
    {
        await Put("a");

        var settings = (await Info()).Settings;

        Assert.Equal(QueueSettings.Default, settings);
    }

    [Fact]
    public async Task A_change_leaves_the_other_settings_as_they_are()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 9, HistoryMessages = 7 });

        var settings = await Set(new QueueSettingsPatch { MaxMessages = 100 });

        Assert.Equal(QueueSettings.Default with { MaxAttempts = 9, HistoryMessages = 7, MaxMessages = 100 }, settings);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_change_with_a_condition_makes_a_new_queue_once(int condition)
    {
        var made = await Set(QueueSettingsPatch.PolicyOf(DeliveryPolicy.RoundRobin, (SettingsCondition)condition));
        var again = await Set(QueueSettingsPatch.PolicyOf(DeliveryPolicy.Broadcast, (SettingsCondition)condition));

        Assert.Equal((DeliveryPolicy.RoundRobin, DeliveryPolicy.RoundRobin), (made.Policy, again.Policy));
        Assert.Equal(DeliveryPolicy.RoundRobin, (await Info()).Settings.Policy);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, nameof(DeliveryPolicy.RoundRobin))]
    public async Task A_change_for_new_queues_leaves_a_queue_with_messages_alone_and_one_for_undecided_queues_sets_its_policy(
        int condition, string? expected)
    {
        await Put("a");

        await Set(QueueSettingsPatch.PolicyOf(DeliveryPolicy.RoundRobin, (SettingsCondition)condition));

        Assert.Equal(expected, (await Info()).Settings.Policy?.ToString());
        Assert.Equal(1, (await Info()).Ready);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_change_with_a_condition_leaves_a_queue_alone_that_has_broadcast(int condition)
    {
        await Put("a");
        _ = await Broadcast();

        var settings = await Set(QueueSettingsPatch.PolicyOf(DeliveryPolicy.RoundRobin, (SettingsCondition)condition));

        Assert.Null(settings.Policy);
        Assert.Null((await Info()).Settings.Policy);
    }

    [Fact]
    public async Task A_change_for_undecided_queues_keeps_other_settings_and_is_reported()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 9 });

        var settings = await Set(QueueSettingsPatch.PolicyOf(DeliveryPolicy.RoundRobin, SettingsCondition.UndecidedPolicy));

        Assert.Equal(QueueSettings.Default with { MaxAttempts = 9, Policy = DeliveryPolicy.RoundRobin }, settings);
        _ = await Listener.WaitForAsync(news => news is SettingsChanged change && change.Queue == Queue && change.Settings == settings)
            .WithTimeout();
    }

    [Fact]
    public async Task Zero_removes_a_limit()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 1, MaxBytes = 1 });

        var settings = await Set(new QueueSettingsPatch { MaxMessages = 0, MaxBytes = 0 });

        Assert.Null(settings.MaxMessages);
        Assert.Null(settings.MaxBytes);
        await PutAll("many bytes", "many messages");
    }

    [Fact]
    public async Task The_listener_is_told_of_changed_settings()
    {
        var settings = await Set(new QueueSettingsPatch { Stopped = true });

        var told = await Listener.WaitForAsync<SettingsChanged>(Queue);

        Assert.Equal(settings, told.Settings);
    }

    [Fact]
    public async Task Every_setting_survives_a_reopen()
    {
        var settings = await Set(new QueueSettingsPatch
        {
            Policy = DeliveryPolicy.RoundRobin,
            Stopped = true,
            TimeToRun = Seconds(77),
            MaxAttempts = 3,
            RetryDelay = new RetryDelay(Seconds(1), Seconds(300)),
            DedupWindow = TimeSpan.FromDays(2),
            MaxMessages = 5_000_000_000,
            MaxBytes = 6_000_000_000,
            Overflow = FullQueuePolicy.DropOldest,
            HistoryMessages = 11,
            HistoryAge = Seconds(5),
            DeadLetter = false,
        });
        await ReopenAsync();

        var info = await Info();

        Assert.Equal(settings, info.Settings);
        Assert.Equal(Seconds(77), info.Settings.TimeToRun);
        Assert.Equal(5_000_000_000, info.Settings.MaxMessages);
    }

    [Fact]
    public async Task A_stopped_queue_accepts_puts_and_gives_nothing_out()
    {
        await Set(new QueueSettingsPatch { Stopped = true });
        await Put("a");

        var taken = await Store.TakeAsync(Queue, 1, int.MaxValue).WithTimeout();
        var leased = await Store.LeaseAsync(Queue, new LeaseRequest(1, 100, Seconds(30))).WithTimeout();

        Assert.Equal(QueueError.QueueStopped, taken.Error);
        Assert.Equal(QueueError.QueueStopped, leased.Error);
        Assert.Equal(1, (await Info()).Ready);
    }

    [Fact]
    public async Task A_stopped_queue_can_be_looked_at_and_browsed()
    {
        var id = await Put("a");
        await Set(new QueueSettingsPatch { Stopped = true });

        var looked = await Store.LookAsync(Queue).WithTimeout();

        Assert.Equal(id, looked!.Id);
        Assert.Equal(["a"], await Browse(MessageState.Ready));
        Assert.NotNull(await TryFind(id));
    }

    [Fact]
    public async Task A_take_may_insist_on_a_stopped_queue()
    {
        await Put("a");
        await Set(new QueueSettingsPatch { Stopped = true });

        var taken = await Store.TakeAsync(Queue, 1, int.MaxValue, evenWhenStopped: true).WithTimeout();

        Assert.Equal(["a"], BodiesOf(taken.Value));
    }

    [Fact]
    public async Task Leases_of_a_stopped_queue_can_be_acked_released_and_touched()
    {
        await PutAll("a", "b", "c");
        var leases = await LeaseMany(3);
        await Set(new QueueSettingsPatch { Stopped = true });

        var answers = new[] { await Ack(leases[0]), await Release(leases[1]), await Touch(leases[2], Seconds(60)) };

        Assert.All(answers, answer => Assert.Equal(QueueError.None, answer));
    }

    [Fact]
    public async Task A_started_queue_gives_out_again()
    {
        await Set(new QueueSettingsPatch { Stopped = true });
        await Put("a");

        await Set(new QueueSettingsPatch { Stopped = false });

        Assert.Equal(["a"], await TakeAll());
    }
}
