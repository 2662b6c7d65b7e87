using Microsoft.Extensions.Logging.Abstractions;
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
    private EmbeddedMessageStore _store = null!;
    private QueueRates _rates = null!;

    public async ValueTask InitializeAsync()
    {
        var options = new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory };
        _store = new EmbeddedMessageStore(options, _time, NullLoggerFactory.Instance);
        _rates = new QueueRates(_store, _time);
        await _store.OpenAsync(_rates, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
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
