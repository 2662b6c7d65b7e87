using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>
/// The wall clock is set while the store is open: what lasts, lasts as long as it should, and times are shown by the new clock.
/// </summary>
public sealed class WallClockTests : IAsyncLifetime
{
    private static readonly QueueName Queue = QueueName.Parse("orders");

    private readonly TemporaryDirectory _directory = new();
    private readonly TestTimeProvider _time = new();
    private readonly VerifyingLogger _log = new();
    private EmbeddedMessageStore _store = null!;

    /// <summary>Hours by which the wall clock steps.</summary>
    public static TheoryData<int> Steps => [-2, 2];

    public async ValueTask InitializeAsync()
    {
        _store = new EmbeddedMessageStore(
            new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory }, _time, _log);
        await _store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
        _log.Verify();
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_lease_ends_when_its_time_is_over_and_not_before(int hours)
    {
        await PutAsync("a");
        var lease = Assert.Single((await _store.LeaseAsync(Queue, new LeaseRequest(1, 1000, Seconds(10))).WithTimeout()).Value);

        Step(hours);
        _time.Advance(Seconds(9.9));
        Assert.Empty(await TakeAsync());
        var stillHeld = Assert.Single(await _store.CheckAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)]).WithTimeout());
        _time.Advance(Seconds(0.1));

        Assert.Equal(QueueError.None, stillHeld);
        Assert.Equal(["a"], await TakeAsync());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_renewed_lease_ends_when_its_time_is_over(int hours)
    {
        await PutAsync("a");
        var lease = Assert.Single((await _store.LeaseAsync(Queue, new LeaseRequest(1, 1000, Seconds(10))).WithTimeout()).Value);

        Step(hours);
        await _store.TouchAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)], Seconds(20)).WithTimeout();
        _time.Advance(Seconds(19.9));
        Assert.Empty(await TakeAsync());
        _time.Advance(Seconds(0.1));

        Assert.Equal(["a"], await TakeAsync());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_lease_by_the_callers_clock_ends_by_the_servers_time(int hours)
    {
        await PutAsync("a");
        var request = new LeaseRequest(1, 1000, Seconds(10), Selection: Selection.DueBy(_time.GetUtcNow()));
        Assert.Single((await _store.LeaseAsync(Queue, request).WithTimeout()).Value);

        Step(hours);
        _time.Advance(Seconds(9.9));
        Assert.Empty(await TakeAsync());
        _time.Advance(Seconds(0.1));

        Assert.Equal(["a"], await TakeAsync());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_delay_lasts_as_long_as_it_was_given(int hours)
    {
        await PutAsync("a", at: _time.GetUtcNow() + Seconds(10));

        Step(hours);
        _time.Advance(Seconds(9.9));
        Assert.Empty(await TakeAsync());
        _time.Advance(Seconds(0.1));

        Assert.Equal(["a"], await TakeAsync());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_time_that_is_given_after_the_step_is_one_of_the_new_clock(int hours)
    {
        Step(hours);
        var at = _time.GetUtcNow() + Seconds(10);
        var id = await PutAsync("a", at);

        var found = (await _store.FindAsync(Queue, id).WithTimeout())!;
        _time.Advance(Seconds(9.9));
        Assert.Empty(await TakeAsync());
        _time.Advance(Seconds(0.1));

        Assert.Equal(at, found.AvailableAt);
        Assert.Equal(at - Seconds(10), found.EnqueuedAt);
        Assert.Equal(["a"], await TakeAsync());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_reschedule_and_a_release_after_the_step_take_times_of_the_new_clock(int hours)
    {
        var id = await PutAsync("a");
        Step(hours);

        Assert.True((await _store.RescheduleAsync(Queue, id, _time.GetUtcNow() + Seconds(10)).WithTimeout()).Value);
        _time.Advance(Seconds(10));
        var lease = Assert.Single((await _store.LeaseAsync(Queue, new LeaseRequest(1, 1000, Seconds(60))).WithTimeout()).Value);
        var again = _time.GetUtcNow() + Seconds(20);
        await _store.ReleaseAsync(Queue, [new LeaseKey(id, lease.Receipt)], new ReleaseRequest(AvailableAt: again)).WithTimeout();

        Assert.Equal(again, (await _store.FindAsync(Queue, id).WithTimeout())!.AvailableAt);
        Assert.Equal(again, (await _store.GetQueueAsync(Queue).WithTimeout())!.NextDelayedAt);
        _time.Advance(Seconds(20));
        Assert.Equal(["a"], await TakeAsync());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_caller_who_chooses_by_its_clock_finds_what_is_due_by_the_new_one(int hours)
    {
        Step(hours);
        await PutAsync("a", at: _time.GetUtcNow() + Seconds(10));

        var early = (await _store.TakeAsync(Queue, 1, 1000, Selection.DueBy(_time.GetUtcNow() + Seconds(9))).WithTimeout()).Value;
        var due = await _store.CountDueAsync(Queue, _time.GetUtcNow() + Seconds(10)).WithTimeout();
        var late = (await _store.TakeAsync(Queue, 1, 1000, Selection.DueBy(_time.GetUtcNow() + Seconds(10))).WithTimeout()).Value;

        Assert.Empty(early);
        Assert.Equal(1, due);
        Assert.Single(late);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_retry_delay_lasts_as_long_as_it_was_set(int hours)
    {
        await PutAsync("a", retryDelay: Seconds(10));
        var lease = Assert.Single((await _store.LeaseAsync(Queue, new LeaseRequest(1, 1000, Seconds(60))).WithTimeout()).Value);
        await _store.ReleaseAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)], new ReleaseRequest()).WithTimeout();

        Step(hours);
        _time.Advance(Seconds(9.9));
        Assert.Empty(await TakeAsync());
        _time.Advance(Seconds(0.1));

        Assert.Equal(["a"], await TakeAsync());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_time_to_live_lasts_as_long_as_it_was_given(int hours)
    {
        var id = await PutAsync("a", ttl: Seconds(10));

        Step(hours);
        _time.Advance(Seconds(9.9));
        Assert.NotNull(await _store.FindAsync(Queue, id).WithTimeout());
        _time.Advance(Seconds(0.1));

        Assert.Null(await _store.FindAsync(Queue, id).WithTimeout());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_dedup_window_lasts_as_long_as_it_was_set(int hours)
    {
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { DedupWindow = Seconds(10) }).WithTimeout();
        var message = Message("a") with { Id = MessageId.Parse("x") };
        Assert.False((await _store.PutAsync(Queue, message).WithTimeout()).Value.Duplicate);
        Assert.Equal(["a"], await TakeAsync());

        Step(hours);
        _time.Advance(Seconds(9.9));
        var within = (await _store.PutAsync(Queue, message).WithTimeout()).Value.Duplicate;
        _time.Advance(Seconds(0.1));
        var after = (await _store.PutAsync(Queue, message).WithTimeout()).Value.Duplicate;

        Assert.Equal((true, false), (within, after));
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task History_is_kept_as_long_as_its_age_says(int hours)
    {
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { HistoryAge = Seconds(10) }).WithTimeout();
        await PutAsync("a");
        Assert.Single(await _store.BroadcastAsync(Queue, 10, 1000).WithTimeout());

        Step(hours);
        _time.Advance(Seconds(9.9));
        Assert.Equal(1, (await _store.GetQueueAsync(Queue).WithTimeout())!.History);
        _time.Advance(Seconds(0.1));

        Assert.Equal(0, (await _store.GetQueueAsync(Queue).WithTimeout())!.History);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Times_of_earlier_messages_are_shown_by_the_new_clock(int hours)
    {
        var before = _time.GetUtcNow();
        var id = await PutAsync("a");
        _ = await _store.LeaseAsync(Queue, new LeaseRequest(1, 1000, Seconds(10))).WithTimeout();

        Step(hours);
        _ = await _store.GetQueueAsync(Queue).WithTimeout();
        var found = (await _store.FindAsync(Queue, id).WithTimeout())!;

        Assert.Equal(before + TimeSpan.FromHours(hours), found.EnqueuedAt);
        Assert.Equal(before + TimeSpan.FromHours(hours) + Seconds(10), found.LeasedUntil);
    }

    [Fact]
    public async Task A_small_correction_moves_no_time()
    {
        var at = _time.GetUtcNow() + Seconds(10);
        var id = await PutAsync("a", at);

        _time.StepClock(TimeSpan.FromMilliseconds(-900));
        var found = (await _store.FindAsync(Queue, id).WithTimeout())!;

        Assert.Equal(at, found.AvailableAt);
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private void Step(int hours) => _time.StepClock(TimeSpan.FromHours(hours));

    private static NewMessage Message(string body) => new() { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain" };

    private async Task<MessageId> PutAsync(string body, DateTimeOffset? at = null, TimeSpan? ttl = null, TimeSpan? retryDelay = null)
    {
        var message = Message(body) with
        {
            AvailableAt = at,
            TimeToLive = ttl,
            RetryDelay = retryDelay is { } delay ? RetryDelay.Fixed(delay) : null,
        };
        return (await _store.PutAsync(Queue, message).WithTimeout()).Value.Id;
    }

    private async Task<string[]> TakeAsync() =>
        [.. (await _store.TakeAsync(Queue, 100, int.MaxValue).WithTimeout()).Value.Select(
            message => Encoding.UTF8.GetString(message.Body.Span))];
}
