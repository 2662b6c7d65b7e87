using System.Text;
using PushQueue.Queues;
using PushQueue.Tests.Contracts;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Queues;

public sealed class WaitForEndTests : IAsyncLifetime
{
    private static readonly QueueName Queue = QueueName.Parse("test");
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(30);

    private readonly TestTimeProvider _time = new();
    private readonly FinishWaiters _finishes = new();
    private readonly ModelMessageStore _store;
    private readonly MessageBroker _broker;

    public WaitForEndTests()
    {
        _store = new ModelMessageStore(new ModelData(), _time);
        _broker = new MessageBroker(
            _store,
            new TakeWaiters(_time),
            _finishes,
            new WorkerRegistry(_time, new QueuesOptions()),
            new MessageTails(_time),
            new QueuesOptions(),
            _time);
    }

    public async ValueTask InitializeAsync() => await _store.OpenAsync(_finishes, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Assert.Equal(0, _finishes.Count);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("mine")]
    public async Task An_ack_answers_with_worker_and_attempts(string? id)
    {
        var waiting = PutAsync(id);
        var lease = await LeaseAsync("w1");
        await _broker.ReleaseAsync(Queue, [KeyOf(lease)], new ReleaseRequest());
        lease = await LeaseAsync("w2");
        Assert.False(waiting.IsCompleted);

        await _broker.AckAsync(Queue, [KeyOf(lease)]);

        var put = (await waiting.WithTimeout()).Value;
        Assert.Equal(lease.Message.Id, put.Put.Id);
        Assert.Equal(new FinishedMessage(Acked: true, "w2", 2, Reason: null, Receipt: lease.Receipt), put.End);
    }

    [Fact]
    public async Task A_message_that_fails_for_good_expires_or_is_cancelled_answers_why()
    {
        var dead = PutAsync("dead", maxAttempts: 1);
        await _broker.ReleaseAsync(Queue, [KeyOf(await LeaseAsync("w"))], new ReleaseRequest());
        Assert.Equal("max-attempts", (await dead.WithTimeout()).Value.End!.Reason);

        var cancelled = PutAsync("cancelled");
        await _broker.CancelAsync(Queue, MessageId.Parse("cancelled"));
        Assert.Equal("cancelled", (await cancelled.WithTimeout()).Value.End!.Reason);

        var deleted = PutAsync("deleted");
        await _broker.DeleteQueueAsync(Queue);
        Assert.Equal("queue-deleted", (await deleted.WithTimeout()).Value.End!.Reason);
    }

    [Fact]
    public async Task After_the_time_the_put_is_answered_without_an_end()
    {
        var waiting = PutAsync("x");

        _time.Advance(Wait);

        var put = (await waiting.WithTimeout()).Value;
        Assert.Null(put.End);
        Assert.False(put.Put.Duplicate);
        Assert.NotNull(await _broker.FindAsync(Queue, MessageId.Parse("x")));
    }

    [Fact]
    public async Task A_duplicate_of_a_live_message_waits_for_that_one()
    {
        await _broker.PutAsync(Queue, Message("x", null));
        var waiting = PutAsync("x");

        await _broker.AckAsync(Queue, [KeyOf(await LeaseAsync("w"))]);

        var put = (await waiting.WithTimeout()).Value;
        Assert.True(put.Put.Duplicate);
        Assert.True(put.End!.Acked);
    }

    [Fact]
    public async Task A_duplicate_of_a_message_that_is_gone_is_answered_at_once()
    {
        await _broker.UpdateSettingsAsync(Queue, new QueueSettingsPatch { DedupWindow = TimeSpan.FromMinutes(1) });
        await _broker.PutAsync(Queue, Message("x", null));
        await _broker.TakeAsync(Queue, new TakeRequest(), CancellationToken.None);

        var put = (await PutAsync("x").WithTimeout()).Value;

        Assert.True(put.Put.Duplicate);
        Assert.True(put.Gone);
    }

    [Fact]
    public async Task Who_goes_away_or_a_drain_ends_the_wait_and_leaves_nothing_behind()
    {
        using var gone = new CancellationTokenSource();
        var first = PutAsync("a", cancellationToken: gone.Token);
        var second = PutAsync("b");
        Assert.Equal(2, _finishes.Count);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WithTimeout());
        Assert.Equal(1, _finishes.Count);
        _broker.BeginDrain();
        Assert.Null((await second.WithTimeout()).Value.End);
    }

    private Task<BrokerResult<AwaitedPut>> PutAsync(string? id, int? maxAttempts = null, CancellationToken cancellationToken = default) =>
        _broker.PutAndWaitAsync(Queue, Message(id, maxAttempts), Wait, cancellationToken).AsTask();

    private async Task<Lease> LeaseAsync(string worker) =>
        Assert.Single((await _broker.LeaseAsync(Queue, new TakeRequest(Worker: worker, TimeToRun: Wait), CancellationToken.None)).Value);

    private static LeaseKey KeyOf(Lease lease) => new(lease.Message.Id, lease.Receipt);

    private static NewMessage Message(string? id, int? maxAttempts) => new()
    {
        Body = Encoding.UTF8.GetBytes("work"),
        ContentType = "text/plain",
        Id = id is null ? null : MessageId.Parse(id),
        MaxAttempts = maxAttempts,
    };
}
