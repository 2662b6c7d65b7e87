using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>The default of <c>expires</c> by name, and the time without use over restarts.</summary>
public sealed class ExpiringQueueTests : IAsyncDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly TemporaryDirectory _directory = new();
    private readonly TestTimeProvider _time = new();
    private readonly RecordingListener _listener = new();
    private readonly VerifyingLogger _log = new();
    private EmbeddedMessageStore? _store;

    public async ValueTask DisposeAsync()
    {
        await (_store?.DisposeAsync() ?? ValueTask.CompletedTask);
        _directory.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task A_pattern_gives_new_queues_the_setting_and_their_own_wins()
    {
        var store = await OpenAsync(new QueueExpiry("reply.*", Hour), new QueueExpiry("reply.*.dead", 2 * Hour));
        var own = QueueName.Parse("reply.own");
        _ = await store.UpdateSettingsAsync(own, new QueueSettingsPatch { Expires = TimeSpan.Zero });

        foreach (var name in new[] { "reply.1", "reply.1.dead", "orders", "xreply.1" })
        {
            await PutAsync(store, name);
        }

        Assert.Equal(Hour, await ExpiresOfAsync(store, "reply.1"));
        Assert.Equal(2 * Hour, await ExpiresOfAsync(store, "reply.1.dead"));
        Assert.Null(await ExpiresOfAsync(store, "orders"));
        Assert.Null(await ExpiresOfAsync(store, "xreply.1"));
        Assert.Equal(TimeSpan.Zero, await ExpiresOfAsync(store, "reply.own"));
        _time.Advance(Hour + TimeSpan.FromSeconds(1));
        Assert.Equal(
            ["orders", "reply.1.dead", "reply.own", "xreply.1"],
            (await store.ListQueuesAsync(null, 100)).Queues.Select(static queue => queue.Name.Value));
        Assert.Contains(_listener.News, static news => news is SettingsChanged { Settings.Expires: { Ticks: > 0 } });
    }

    [Fact]
    public async Task A_start_gives_the_setting_to_queues_of_earlier_runs()
    {
        await PutAsync(await OpenAsync(), "reply.1");
        var store = await OpenAsync(new QueueExpiry("reply.*", Hour));

        Assert.Equal(Hour, await ExpiresOfAsync(store, "reply.1"));
        _time.Advance(Hour + TimeSpan.FromSeconds(1));
        Assert.Empty((await store.ListQueuesAsync(null, 100)).Queues);
    }

    [Fact]
    public async Task A_lease_request_makes_a_roundrobin_queue_under_a_pattern_too()
    {
        var store = await OpenAsync(new QueueExpiry("*", Hour));

        var made = await store.UpdateSettingsAsync(
            QueueName.Parse("jobs"), QueueSettingsPatch.PolicyOf(DeliveryPolicy.RoundRobin, SettingsCondition.NewQueue));

        Assert.Equal((DeliveryPolicy.RoundRobin, Hour), (made.Value.Policy!.Value, made.Value.Expires!.Value));
    }

    [Fact]
    public async Task Time_in_which_no_server_ran_does_not_count()
    {
        var store = await OpenAsync(new QueueExpiry("*", Hour));
        await PutAsync(store, "reply.1");
        _time.Advance(TimeSpan.FromMinutes(50));
        await store.DisposeAsync();
        _time.Advance(TimeSpan.FromDays(3));
        store = await OpenAsync();

        _time.Advance(TimeSpan.FromMinutes(9));
        Assert.Single((await store.ListQueuesAsync(null, 100)).Queues);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty((await store.ListQueuesAsync(null, 100)).Queues);
    }

    [Fact]
    public async Task A_queue_that_expired_does_not_come_back_with_the_next_start()
    {
        var store = await OpenAsync(new QueueExpiry("*", Hour));
        await PutAsync(store, "reply.1");
        _time.Advance(Hour + TimeSpan.FromSeconds(1));

        store = await OpenAsync();

        Assert.Empty((await store.ListQueuesAsync(null, 100)).Queues);
        Assert.Equal(0, store.Totals!.Value.Queues);
        Assert.Equal(0, store.Totals!.Value.Messages);
    }

    private async Task<EmbeddedMessageStore> OpenAsync(params QueueExpiry[] expires)
    {
        await (_store?.DisposeAsync() ?? ValueTask.CompletedTask);
        _store = new EmbeddedMessageStore(
            new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory, Expires = expires }, _time, _log);
        await _store.OpenAsync(_listener, CancellationToken.None).WithTimeout();
        return _store;
    }

    private static async Task PutAsync(IMessageStore store, string queue) =>
        Assert.True(
            (await store.PutAsync(QueueName.Parse(queue), new NewMessage { Body = "x"u8.ToArray(), ContentType = "text/plain" })).Ok);

    private static async Task<TimeSpan?> ExpiresOfAsync(IMessageStore store, string queue) =>
        (await store.GetQueueAsync(QueueName.Parse(queue)))!.Settings.Expires;
}
