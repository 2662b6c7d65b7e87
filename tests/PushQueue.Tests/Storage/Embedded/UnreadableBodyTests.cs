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
    private readonly TestTimeProvider _time = new();
    private readonly EmbeddedMessageStore _store;

    public UnreadableBodyTests()
    {
        // Nothing is kept in memory: every body is read back from the log.
        var options = new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory, CacheBytesMax = 0 };
        _store = new EmbeddedMessageStore(options, _time, _log);
        _log.ExpectError($"of queue {Queue} is lost");
        _log.ExpectError($"of queue {Queue.DeadLetter} is lost");
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

        Assert.Empty(
            (await _store.LeaseAsync(Queue.DeadLetter, new LeaseRequest(1, 1000, TimeToRun: null, Delivery: true)).WithTimeout()).Value);

        Assert.Equal(0, (await _store.GetQueueAsync(Queue.DeadLetter).WithTimeout())!.Waiting);
    }

    /// <summary>Every way to be given a message of a queue that is not broadcast.</summary>
    public static TheoryData<string> Ways => ["take", "take due", "look", "lease", "lease due", "lease due with an end", "delivery"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_damaged_message_is_dead_lettered_and_the_next_one_is_given(string way)
    {
        await PutAsync("<one>", "<two>", "<three>", "<four>");
        DiskDamage.In(_directory.Path, "<one>");
        DiskDamage.In(_directory.Path, "<two>");

        var first = Assert.Single(await GetAsync(way, count: 1));

        Assert.Equal("<three>", Encoding.UTF8.GetString(first.Body.Span));
        var info = (await _store.GetQueueAsync(Queue).WithTimeout())!;
        Assert.Equal((2, 2), (info.Counters.Lost, info.Counters.DeadLettered));
        Assert.Equal(way.StartsWith("take", StringComparison.Ordinal) ? 1 : 0, info.Counters.Delivered);
        Assert.Equal(2, (await _store.GetQueueAsync(Queue.DeadLetter).WithTimeout())!.Ready);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_damaged_message_between_healthy_ones_costs_itself_alone(string way)
    {
        await PutAsync("<one>", "<two>", "<three>");
        DiskDamage.In(_directory.Path, "<two>");

        var got = await GetAsync(way, count: 3);

        string[] expected = way == "look" ? ["<one>"] : ["<one>", "<three>"];
        Assert.Equal(expected, got.Select(message => Encoding.UTF8.GetString(message.Body.Span)));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_queue_of_damaged_messages_alone_is_empty_afterwards(string way)
    {
        await PutAsync("<one>", "<two>");
        DiskDamage.In(_directory.Path, "<one>");
        DiskDamage.In(_directory.Path, "<two>");

        Assert.Empty(await GetAsync(way, count: 1));

        var info = (await _store.GetQueueAsync(Queue).WithTimeout())!;
        Assert.Equal((0, 0, 2, 0), (info.Waiting, info.Leased, info.Counters.Lost, info.Counters.Delivered));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Leases_around_a_damaged_message_still_end_by_time(string way)
    {
        await PutAsync("<one>", "<two>", "<three>");
        DiskDamage.In(_directory.Path, "<two>");
        Assert.Single(await LeaseAsync(count: 1, ttr: TimeSpan.FromSeconds(2), due: true));

        Assert.Single(await GetAsync(way, count: 1));
        _time.Advance(TimeSpan.FromSeconds(3));

        var info = (await _store.GetQueueAsync(Queue).WithTimeout())!;
        Assert.Equal(1, info.Counters.Lost);
        Assert.True(info.Ready >= 1, $"The lease of the first message did not end: {info}");
        Assert.True((await _store.EndDueLeasesAsync(Queue, _time.GetUtcNow() + TimeSpan.FromDays(1), 100).WithTimeout()).Ok);
    }

    [Fact]
    public async Task A_broadcast_counts_a_damaged_message_as_lost_and_not_as_delivered()
    {
        await PutAsync("<one>", "<two>", "<three>");
        DiskDamage.In(_directory.Path, "<two>");

        Assert.Equal(2, (await _store.BroadcastAsync(Queue, 10, 1000).WithTimeout()).Count);

        var counters = (await _store.GetQueueAsync(Queue).WithTimeout())!.Counters;
        Assert.Equal((1, 2), (counters.Lost, counters.Delivered));
    }

    [Fact]
    public async Task The_count_of_lost_messages_survives_a_restart()
    {
        await PutAsync("<one>");
        DiskDamage.In(_directory.Path, "<one>");
        Assert.Empty(await GetAsync("take", count: 1));
        await _store.DisposeAsync();

        var options = new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory };
        _log.ExpectError("Damage in");
        await using var reopened = new EmbeddedMessageStore(options, _time, _log);
        await reopened.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();

        Assert.Equal(1, (await reopened.GetQueueAsync(Queue).WithTimeout())!.Counters.Lost);
    }

    private async Task<IReadOnlyList<Message>> GetAsync(string way, int count) => way switch
    {
        "take" => (await _store.TakeAsync(Queue, count, 1000).WithTimeout()).Value,
        "take due" => (await _store.TakeAsync(Queue, count, 1000, Selection.DueBy(_time.GetUtcNow())).WithTimeout()).Value,
        "look" => await _store.LookAsync(Queue).WithTimeout() is { } message ? [message] : [],
        "lease" => await LeaseAsync(count, TimeSpan.FromMinutes(1), due: false),
        "lease due" => await LeaseAsync(count, ttr: null, due: true),
        "lease due with an end" => await LeaseAsync(count, TimeSpan.FromMinutes(1), due: true),
        _ => await LeaseAsync(count, ttr: null, due: false, delivery: true),
    };

    private async Task<IReadOnlyList<Message>> LeaseAsync(int count, TimeSpan? ttr, bool due, bool delivery = false)
    {
        var request = new LeaseRequest(
            count, 1000, ttr, Delivery: delivery, Selection: due ? Selection.DueBy(_time.GetUtcNow()) : Selection.Next);
        return [.. (await _store.LeaseAsync(Queue, request).WithTimeout()).Value.Select(lease => lease.Message)];
    }

    private async Task PutAsync(params string[] bodies)
    {
        await _store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
        foreach (var body in bodies)
        {
            var put = await _store.PutAsync(Queue, new NewMessage { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain" })
                .WithTimeout();
            Assert.True(put.Ok);
        }
    }

    private static IEnumerable<string> Text(IReadOnlyList<Message> messages) =>
        messages.Select(message => $"{message.Offset} {Encoding.UTF8.GetString(message.Body.Span)}");
}
