using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>
/// One queue has a fault: it is logged with the queue's name and counted, the other queues are served, and the queue is tried again.
/// </summary>
public sealed class FaultIsolationTests : IAsyncDisposable
{
    private static readonly QueueName Bad = QueueName.Parse("bad");
    private static readonly QueueName Good = QueueName.Parse("good");

    private readonly TemporaryDirectory _directory = new();
    private readonly TestTimeProvider _time = new();
    private readonly VerifyingLogger _log = new();
    private readonly MessageMeter _meter = new(TimeProvider.System);
    private readonly ErrorCounts _errors;
    private readonly RecordingListener _listener = new();
    private EmbeddedMessageStore _store;

    public FaultIsolationTests()
    {
        _errors = new ErrorCounts(_meter);
        _store = NewStore();
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _errors.Dispose();
        _meter.Dispose();
        _directory.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task Due_timers_wake_the_other_queues_and_try_the_faulty_one_again()
    {
        await OpenAsync();
        await PutAsync(Bad, "late", TimeSpan.FromSeconds(1));
        await PutAsync(Good, "late", TimeSpan.FromSeconds(1));
        _listener.Clear();
        _log.ExpectError("(due-timers) failed for queue bad");
        using (Sabotage.Of(_store, Bad))
        {
            _time.Advance(TimeSpan.FromSeconds(1.5));

            Assert.Contains(_listener.News, news => news is BecameReady && news.Queue == Good);
            Assert.Equal(1, _errors["due-timers"]);
            Assert.Equal(["late"], await TakeAsync(Good));
        }

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Contains(_listener.News, news => news is BecameReady && news.Queue == Bad);
        Assert.Equal(["late"], await TakeAsync(Bad));
    }

    [Fact]
    public async Task A_queue_whose_fault_stays_is_tried_less_and_less_often()
    {
        await OpenAsync();
        await PutAsync(Bad, "late", TimeSpan.FromSeconds(1));
        _log.ExpectError("(due-timers) failed for queue bad");
        using (Sabotage.Of(_store, Bad))
        {
            _time.Advance(TimeSpan.FromHours(1));
        }

        Assert.InRange(_errors["due-timers"], 50, 75);
    }

    [Fact]
    public async Task A_listener_that_fails_changes_no_answer_and_costs_no_other_queue_its_notifications()
    {
        await OpenAsync();
        _listener.Telling = news => throw new InvalidOperationException($"Nobody can hear of {news.Queue}.");
        _log.ExpectError("(notification) failed for queue bad");
        await PutAsync(Bad, "one");
        await Eventually.TrueAsync(() => _errors["notification"] > 0, "the fault is counted");
        _listener.Telling = null;

        await PutAsync(Good, "one");

        await _listener.WaitForAsync<BecameReady>(Good);
        Assert.Equal(["one"], await TakeAsync(Bad));
    }

    [Fact]
    public async Task A_fault_after_a_commit_leaves_the_log_to_the_others()
    {
        await OpenAsync();
        await PutAsync(Bad, "one");
        _log.ExpectError("(commit) failed for queue bad");
        using (Sabotage.OfCounters(_store, Bad))
        {
            await PutAsync(Bad, "two");
            await PutAsync(Good, "one");

            await Eventually.TrueAsync(() => _errors["commit"] > 0, "the fault is counted");
            Assert.Equal(["one"], await TakeAsync(Good));
        }
    }

    [Fact]
    public async Task A_page_of_queues_shows_the_healthy_ones()
    {
        await OpenAsync();
        await PutAsync(Bad, "one");
        await PutAsync(Good, "one");
        _log.ExpectError("(store) failed for queue bad");
        using (Sabotage.Of(_store, Bad))
        {
            var page = await _store.ListQueuesAsync(after: null, limit: 10).WithTimeout();

            Assert.Equal([Good], page.Queues.Select(queue => queue.Name));
            Assert.Equal(2, page.Total);
        }
    }

    [Fact]
    public async Task A_stop_closes_the_log_although_a_queue_fails()
    {
        await OpenAsync();
        await PutAsync(Bad, "one");
        await PutAsync(Good, "one");
        _log.ExpectError("(store) failed for queue bad");
        using (Sabotage.OfCounters(_store, Bad))
        {
            await _store.DisposeAsync().AsTask().WithTimeout();
        }

        _store = NewStore();
        await OpenAsync();

        Assert.Equal(["one"], await TakeAsync(Bad));
        Assert.Equal(["one"], await TakeAsync(Good));
    }

    [Fact]
    public async Task The_cleaner_survives_a_faulty_queue_and_cleans_once_the_fault_is_gone()
    {
        await OpenAsync();
        await PutAsync(Bad, "one");
        _log.ExpectError("(log-cleaner) failed for queue bad");
        using (Sabotage.OfCounters(_store, Bad))
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    await PutAndTakeAsync(Good);
                    return _errors["log-cleaner"] > 0;
                },
                "the cleaner meets the faulty queue");
        }

        await Eventually.TrueAsync(
            async () =>
            {
                await PutAndTakeAsync(Good);
                return Directory.GetFiles(_directory.Path, "segment-*.log").Length <= 3;
            },
            "old segments go");
        Assert.Equal(["one"], await TakeAsync(Bad));
    }

    private EmbeddedMessageStore NewStore() => new(
        new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory, SegmentBytes = 4000, Meter = _meter },
            _time, _log);

    private Task OpenAsync() => _store.OpenAsync(_listener, CancellationToken.None).WithTimeout();

    private async Task PutAndTakeAsync(QueueName queue)
    {
        await PutAsync(queue, new string('x', 500));
        _ = await TakeAsync(queue);
    }

    private async Task PutAsync(QueueName queue, string body, TimeSpan delay = default)
    {
        var message = new NewMessage
        {
            Body = Encoding.UTF8.GetBytes(body),
            ContentType = "text/plain",
            AvailableAt = delay > TimeSpan.Zero ? _time.GetUtcNow() + delay : null,
        };
        Assert.True((await _store.PutAsync(queue, message).WithTimeout()).Ok);
    }

    private async Task<string[]> TakeAsync(QueueName queue) =>
        [
            .. (
                await _store.TakeAsync(queue, 100, int.MaxValue).WithTimeout()).Value.Select(message =>
                    Encoding.UTF8.GetString(message.Body.Span))
        ];
}
