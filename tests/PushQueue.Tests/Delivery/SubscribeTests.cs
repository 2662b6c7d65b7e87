using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Delivery.Cluster;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Delivery;

/// <summary>Coming and going at awkward moments: amid a round, a delete, a drain.</summary>
public sealed class SubscribeTests : IAsyncLifetime
{
    private static readonly QueueName Queue = QueueName.Parse("news");

    private readonly TemporaryDirectory _directory = new();
    private readonly VerifyingLogger _log = new();
    private readonly TestBell _bell = new(new Random(1));
    private readonly EmbeddedMessageStore _store;
    private readonly TestNode _node;

    public SubscribeTests()
    {
        _store = new EmbeddedMessageStore(
            new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory }, TimeProvider.System,
                NullLoggerFactory.Instance);
        _node = new TestNode(_bell, _store, _log);
    }

    public async ValueTask InitializeAsync() => await _store.OpenAsync(_bell, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _node.Dispatcher.DrainAsync(TimeSpan.Zero);
        await _store.DisposeAsync();
        _directory.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task The_cursor_of_a_new_consumer_lies_before_what_is_being_handed_out_to_it()
    {
        var first = await _node.SubscribeAsync(Queue);
        var second = await _node.SubscribeAsync(Queue);
        Cursor? amid = null;
        first.Writing = () =>
        {
            // The store is in this process and answers at once.
            var asked = Dispatcher.CursorAsync(second.Consumer);
            Assert.True(asked.IsCompleted);
            amid ??= asked.GetAwaiter().GetResult();
            Assert.Empty(second.Got);
        };

        await PutAsync("1");

        await second.GotAsync(1);
        Assert.Equal(0, amid!.Value.Offset);
    }

    [Fact]
    public async Task A_consumer_that_comes_while_its_queue_is_deleted_is_told_so()
    {
        var looking = new TaskCompletionSource();
        _node.Looking = looking.Task;
        var coming = _node.SubscribeUnseenAsync(Queue);

        _node.Dispatcher.OnDeleted(Queue);
        looking.SetResult();

        var late = await coming.WithTimeout();
        Assert.Equal(CloseReason.QueueDeleted, late.Completed);
        await late.LeaveAsync();
    }

    [Fact]
    public async Task A_drain_waits_for_what_is_given_back_by_the_last_consumer_of_a_queue()
    {
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        var worker = await _node.SubscribeAsync(Queue, ConsumerOptions.Default with { Ack = AckMode.Manual });
        var other = await _node.SubscribeAsync(QueueName.Parse("other"));
        await PutAsync("1");
        await worker.GotAsync(1);
        var queue = worker.Consumer.Dispatcher!;

        // A returned message cannot be settled; the attempt is repeated until its deadline.
        _node.IsAway = true;
        var draining = _node.Dispatcher.DrainAsync(TimeSpan.FromMinutes(1));
        await worker.LeaveAsync();
        await Eventually.TrueAsync(() => queue.IsRetired, "the queue's dispatcher was given up");
        await other.LeaveAsync();

        await draining.WithTimeout();
        Assert.True(queue.Settler.WhenSettled().IsCompleted);
    }

    private async Task PutAsync(string body) =>
        Assert.True((await _store.PutAsync(Queue, new NewMessage { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain" })).Ok);
}
