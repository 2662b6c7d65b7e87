using System.Reflection;
using Microsoft.Extensions.Logging;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Diagnostics;

public sealed class QueueRatesTests : IAsyncLifetime
{
    private static readonly QueueName Queue = QueueName.Parse("test");

    private readonly TemporaryDirectory _directory = new();
    private readonly TestTimeProvider _time = new();
    private readonly VerifyingLogger _log = new();
    private readonly MessageMeter _meter = new(TimeProvider.System);
    private EmbeddedMessageStore _store = null!;
    private QueueRates _rates = null!;

    public async ValueTask InitializeAsync()
    {
        var options = new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory };
        _store = new EmbeddedMessageStore(options, _time, _log);
        _rates = new QueueRates(_store, _time, _log.CreateLogger<QueueRates>(), _meter);
        await _store.OpenAsync(_rates, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
        _meter.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task Each_second_is_kept_with_what_it_brought()
    {
        await PutAsync(Queue, 1);
        await SampleAsync(1);
        await PutAsync(Queue, 3);
        await SampleAsync(1);
        _ = await _store.TakeAsync(Queue, 2, int.MaxValue);
        await SampleAsync(1);

        Assert.Equal([new QueuePoint(3, 0, 0, 4), new QueuePoint(0, 2, 0, 2)], _rates.PointsOf(Queue, 10));
        Assert.Equal([new QueuePoint(0, 2, 0, 2)], _rates.PointsOf(Queue, 1));
    }

    [Fact]
    public async Task An_idle_queue_is_forgotten_after_a_minute_and_a_backlog_is_not()
    {
        var backlog = QueueName.Parse("backlog");
        await PutAsync(Queue, 1);
        await PutAsync(backlog, 1);
        await SampleAsync(2);
        _ = await _store.TakeAsync(Queue, 1, int.MaxValue);

        await SampleAsync(50);
        Assert.NotEmpty(_rates.PointsOf(Queue, 1));
        await SampleAsync(20);

        Assert.Empty(_rates.PointsOf(Queue, 1));
        Assert.NotEmpty(_rates.PointsOf(backlog, 1));
    }

    [Fact]
    public async Task A_put_to_a_quiet_backlog_shows_at_the_next_sample_and_a_take_within_ten_seconds()
    {
        for (var i = 0; i < 700; i++)
        {
            await PutAsync(QueueName.Parse($"backlog-{i}"), 1);
        }

        await PutAsync(Queue, 1);
        await SampleAsync(20);
        await PutAsync(Queue, 2);
        await SampleAsync(1);
        Assert.Equal(new QueuePoint(2, 0, 0, 3), _rates.PointsOf(Queue, 1).Single());

        await SampleAsync(20);
        _ = await _store.TakeAsync(Queue, 3, int.MaxValue);
        await SampleAsync(10);

        Assert.Equal(3, _rates.PointsOf(Queue, 10).Sum(point => point.Delivered));
    }

    [Fact]
    public async Task Quiet_backlogs_are_looked_at_in_turn()
    {
        var store = DispatchProxy.Create<IMessageStore, CountingStore>();
        var looks = (CountingStore)store;
        looks.Inner = _store;
        var rates = new QueueRates(store, _time, _log.CreateLogger<QueueRates>(), _meter);
        for (var i = 0; i < 700; i++)
        {
            await PutAsync(QueueName.Parse($"backlog-{i}"), 1);
            rates.OnReady(QueueName.Parse($"backlog-{i}"));
        }

        for (var i = 0; i < 15; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await rates.SampleAsync().WithTimeout();
        }

        looks.Looks = 0;
        await rates.SampleAsync().WithTimeout();

        Assert.InRange(looks.Looks, 1, 100);
    }

    [Fact]
    public async Task A_thousand_backlogs_make_room_for_a_queue_that_is_busy()
    {
        for (var i = 0; i < 1000; i++)
        {
            await PutAsync(QueueName.Parse($"backlog-{i}"), 1);
        }

        await SampleAsync(15);
        await PutAsync(Queue, 1);
        await SampleAsync(1);
        await PutAsync(Queue, 5);
        await SampleAsync(1);

        Assert.Equal(5, Assert.Single(_rates.PointsOf(Queue, 10)).Put);
    }

    [Fact]
    public async Task A_queue_that_fails_leaves_the_others_their_rates()
    {
        using var errors = new ErrorCounts(_meter);
        var bad = QueueName.Parse("bad");
        await PutAsync(bad, 1);
        await PutAsync(Queue, 1);
        await SampleAsync(1);
        await PutAsync(bad, 1);
        await PutAsync(Queue, 3);
        _log.ExpectError("(rates) failed for queue bad");
        using (Sabotage.Of(_store, bad))
        {
            await SampleAsync(1);
        }

        Assert.Equal(3, Assert.Single(_rates.PointsOf(Queue, 10)).Put);
        Assert.Equal(1, errors["rates"]);
        await PutAsync(bad, 1);
        await SampleAsync(1);
        await PutAsync(bad, 2);
        await SampleAsync(1);
        Assert.Equal(2, Assert.Single(_rates.PointsOf(bad, 10)).Put);
    }

    /// <summary>Passes all on, and counts the looks at queues.</summary>
#pragma warning disable CA1852 // The proxy that is made at run time derives from it.
    private class CountingStore : DispatchProxy
#pragma warning restore CA1852
    {
        public IMessageStore Inner { get; set; } = null!;

        public int Looks { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Looks += targetMethod!.Name == nameof(IMessageStore.GetQueueAsync) ? 1 : 0;
            return targetMethod.Invoke(Inner, args);
        }
    }

    private async Task PutAsync(QueueName queue, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var put = await _store.PutAsync(queue, new NewMessage { Body = "x"u8.ToArray(), ContentType = "text/plain" }).WithTimeout();
            Assert.True(put.Ok);
        }
    }

    private async Task SampleAsync(int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await _rates.SampleAsync().WithTimeout();
        }
    }
}
