using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Bodies that the disk damaged while the server runs: they cost themselves and nothing else.</summary>
public sealed class UnreadableBodyTests : IAsyncDisposable
{
    private static readonly QueueName Queue = QueueName.Parse("orders");

    private readonly TemporaryDirectory _directory = new();
    private readonly VerifyingLogger _log = new();
    private readonly EmbeddedMessageStore _store;

    public UnreadableBodyTests()
    {
        // Nothing is kept in memory: every body is read back from the log.
        var options = new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory, CacheBytesMax = 0 };
        _store = new EmbeddedMessageStore(options, new TestTimeProvider(), _log);
        _log.ExpectError("damage");
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task A_broadcast_leaves_out_the_offset_of_a_damaged_message()
    {
        await PutAsync("<one>", "<two>", "<three>");
        DiskDamage.In(_directory.Path, "<two>");

        Assert.Equal(["1 <one>", "3 <three>"], Text(await _store.BroadcastAsync(Queue, 10, 1000).WithTimeout()));
        Assert.Equal(["1 <one>", "3 <three>"], Text((await _store.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout())!.Messages));
    }

    [Fact]
    public async Task A_round_of_damaged_messages_alone_does_not_look_like_an_empty_queue()
    {
        await PutAsync("<one>", "<two>", "<three>");
        DiskDamage.In(_directory.Path, "<one>");
        DiskDamage.In(_directory.Path, "<two>");

        Assert.Equal(["3 <three>"], Text(await _store.BroadcastAsync(Queue, 1, 1000).WithTimeout()));
        Assert.Equal(["3 <three>"], Text((await _store.ReadHistoryAsync(Queue, 1, 1, 1000).WithTimeout())!.Messages));
        Assert.Empty(await _store.BroadcastAsync(Queue, 1, 1000).WithTimeout());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lease_of_a_damaged_message_does_not_stay(bool delivery)
    {
        await PutAsync("<one>", "<two>");
        DiskDamage.In(_directory.Path, "<one>");

        var leased = (await _store.LeaseAsync(Queue, new LeaseRequest(1, 1000, TimeToRun: null, Delivery: delivery)).WithTimeout()).Value;

        Assert.Equal(["0 <two>"], Text([.. leased.Select(lease => lease.Message)]));
        Assert.Equal(1, (await _store.GetQueueAsync(Queue).WithTimeout())!.Leased);
        Assert.Equal(1, (await _store.GetQueueAsync(Queue.DeadLetter).WithTimeout())!.Ready);
    }

    [Fact]
    public async Task A_damaged_dead_letter_is_not_given_out_again_and_again()
    {
        await PutAsync("<one>");
        DiskDamage.In(_directory.Path, "<one>");
        Assert.Empty((await _store.LeaseAsync(Queue, new LeaseRequest(1, 1000, TimeToRun: null, Delivery: true)).WithTimeout()).Value);

        Assert.Empty((await _store.LeaseAsync(Queue.DeadLetter, new LeaseRequest(1, 1000, TimeToRun: null, Delivery: true)).WithTimeout()).Value);

        Assert.Equal(0, (await _store.GetQueueAsync(Queue.DeadLetter).WithTimeout())!.Waiting);
    }

    private async Task PutAsync(params string[] bodies)
    {
        await _store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
        foreach (var body in bodies)
        {
            var put = await _store.PutAsync(Queue, new NewMessage { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain" }).WithTimeout();
            Assert.True(put.Ok);
        }
    }

    private static IEnumerable<string> Text(IReadOnlyList<Message> messages) =>
        messages.Select(message => $"{message.Offset} {Encoding.UTF8.GetString(message.Body.Span)}");
}
