using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Delivery.Cluster;

/// <summary>Two nodes over one store, with a bell between them on which nobody can rely.</summary>
public sealed class ClusterDeliveryTests : IAsyncLifetime
{
    private static readonly QueueName Queue = QueueName.Parse("news");

    private readonly TemporaryDirectory _directory = new();
    private readonly VerifyingLogger _log = new();
    private readonly EmbeddedMessageStore _store;
    private readonly TestBell _bell;
    private readonly TestNode _a;
    private readonly TestNode _b;
    private readonly int _seed = Environment.TickCount;
    private readonly Random _random;

    public ClusterDeliveryTests()
    {
        _random = new Random(_seed);
        _store = new EmbeddedMessageStore(
            new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory }, TimeProvider.System,
                NullLoggerFactory.Instance);
        _bell = new TestBell(new Random(_seed));
        _a = new TestNode(_bell, _store, _log);
        _b = new TestNode(_bell, _store, _log);
    }

    public async ValueTask InitializeAsync() => await _store.OpenAsync(_bell, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _a.Dispatcher.DrainAsync(TimeSpan.Zero);
        await _b.Dispatcher.DrainAsync(TimeSpan.Zero);
        await _store.DisposeAsync();
        _directory.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task Every_consumer_of_every_node_gets_each_message_once_and_in_order_though_half_of_the_news_is_lost()
    {
        var consumers = await Task.WhenAll(
            _a.SubscribeAsync(Queue), _b.SubscribeAsync(Queue), _a.SubscribeAsync(Queue), _b.SubscribeAsync(Queue));
        _bell.DropPercent = 50;

        for (var i = 1; i <= 2000; i++)
        {
            await PutAsync($"{i}");
        }

        Resume();
        foreach (var consumer in consumers)
        {
            await consumer.GotAsync(2000);
            Assert.Equal(Bodies(1, 2000), consumer.Got);
        }
    }

    [Fact]
    public async Task A_consumer_that_comes_with_an_offset_in_the_middle_gets_all_from_there_on()
    {
        var first = await _a.SubscribeAsync(Queue);
        _bell.DropPercent = 30;
        var late = new List<(int From, Task<TestConsumer> Consumer)>();
        for (var i = 1; i <= 1000; i++)
        {
            await PutAsync($"{i}");
            if (i % 50 == 0)
            {
                var from = _random.Next(1, Math.Max(2, first.Got.Count));
                var options = ConsumerOptions.Default with { From = new StartPosition(StartKind.Offset, string.Empty, from) };
                late.Add((from, (i % 100 == 0 ? _a : _b).SubscribeAsync(Queue, options)));
            }
        }

        Resume();
        await first.GotAsync(1000);
        foreach (var (from, subscribing) in late)
        {
            var consumer = await subscribing;
            await consumer.GotAsync(1000 - from + 1);
            Assert.Equal(Bodies(from, 1000), consumer.Got);
        }
    }

    [Fact]
    public async Task A_round_of_its_own_waits_until_the_rounds_of_the_other_node_are_handed_out()
    {
        var (there, here) = await SubscribeBothAsync();
        await _b.DeafenAsync();
        await PutAsync("1", "2", "3");
        await there.GotAsync(4);
        Assert.Equal(["0"], here.Got);

        await there.LeaveAsync();
        _b.IsDeaf = false;
        await PutAsync("4");

        await here.GotAsync(5);
        Assert.Equal(["0", "1", "2", "3", "4"], here.Got);
    }

    [Fact]
    public async Task What_history_no_longer_holds_is_told_as_a_gap()
    {
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { HistoryMessages = 3 });
        var (there, here) = await SubscribeBothAsync();
        await _b.DeafenAsync();
        for (var i = 1; i <= 10; i++)
        {
            await PutAsync($"{i}");
            await there.GotAsync(i + 1);
        }

        _b.IsDeaf = false;
        _b.Dispatcher.OnResumed();

        await here.GotAsync(5);
        Assert.Equal(["0", "gap expired 2-8", "8", "9", "10"], here.Got);
    }

    [Fact]
    public async Task A_round_in_hand_is_not_part_of_the_gap_though_history_keeps_nothing()
    {
        var (there, here) = await SubscribeBothAsync();
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { HistoryMessages = 0 });
        await _b.DeafenAsync();
        await PutAsync("1", "2");
        await there.GotAsync(3);

        await there.LeaveAsync();
        _b.IsDeaf = false;
        await PutAsync("3");

        await here.GotAsync(3);
        Assert.Equal(["0", "gap expired 2-3", "3"], here.Got);
    }

    [Fact]
    public async Task Offsets_that_begin_anew_are_told_as_a_reset()
    {
        var here = await _b.SubscribeAsync(Queue);
        await PutAsync("old 1", "old 2");
        await here.GotAsync(2);

        await _b.DeafenAsync();
        await _store.DeleteQueueAsync(Queue);
        _b.IsDeaf = false;
        await PutAsync("new 1");

        await here.GotAsync(4);
        Assert.Equal(["old 1", "old 2", "gap reset -", "new 1"], here.Got);
    }

    [Fact]
    public async Task Settings_that_changed_unheard_hold_once_the_store_is_back()
    {
        var here = await _b.SubscribeAsync(Queue);
        await PutAsync("1");
        await here.GotAsync(1);
        await _b.DeafenAsync();
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Stopped = true });
        await PutAsync("2");
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Stopped = false });

        _b.IsDeaf = false;
        _b.Dispatcher.OnResumed();

        await here.GotAsync(2);
        Assert.Equal(["1", "2"], here.Got);
    }

    [Fact]
    public async Task What_the_store_refused_to_lease_for_a_moment_is_asked_for_again_though_no_news_comes()
    {
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        await PutAsync("1");
        await PutAsync("2");
        _bell.DropPercent = 100;
        _a.IsRefused = true;
        var consumer = await _a.SubscribeAsync(Queue);
        await Eventually.TrueAsync(() => _a.Refusals > 0, "the store has refused");

        _a.IsRefused = false;

        await consumer.GotAsync(2);
    }

    [Fact]
    public async Task A_lease_that_ended_unheard_gives_its_holder_room_again_once_the_store_is_back()
    {
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        var worker = await _b.SubscribeAsync(Queue, ConsumerOptions.Default with { Ack = AckMode.Manual, Prefetch = 1 });
        await PutAsync("1", "2");
        await worker.GotAsync(1);
        await _b.DeafenAsync();
        Assert.Equal([QueueError.None], await _store.AckAsync(Queue, [KeyOf(worker.Lines[0])]));

        _b.IsDeaf = false;
        _b.Dispatcher.OnResumed();

        await worker.GotAsync(2);
        Assert.Equal(["1", "2"], worker.Got);
    }

    [Fact]
    public async Task News_of_an_earlier_ack_of_the_same_id_leave_the_new_lease_its_holders()
    {
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        var worker = await _b.SubscribeAsync(Queue, ConsumerOptions.Default with { Ack = AckMode.Manual, Prefetch = 1 });
        await PutAsync("1");
        await worker.GotAsync(1);

        var key = KeyOf(worker.Lines[0]);
        _b.Dispatcher.OnFinished(
            Queue,
            key.Id,
            new FinishedMessage(Acked: true, Worker: null, 1, Reason: null, Elsewhere: true, new Receipt(key.Receipt.Value ^ 1)));

        Assert.Equal(1, worker.Consumer.InFlight);
        await worker.LeaveAsync();
        await Eventually.TrueAsync(async () => (await _store.GetQueueAsync(Queue))!.Ready == 1, "the message was given back");
    }

    [Fact]
    public async Task What_was_written_while_the_store_was_out_of_reach_is_acked_later()
    {
        await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        var worker = await _b.SubscribeAsync(Queue, ConsumerOptions.Default with { Ack = AckMode.Manual });
        await PutAsync("1");
        await worker.GotAsync(1);

        // The connection goes, and what it held is given back: in vain at first.
        _b.IsAway = true;
        await worker.LeaveAsync();
        Assert.Equal(1, (await _store.GetQueueAsync(Queue))!.Leased);
        _b.IsAway = false;

        await Eventually.TrueAsync(async () => (await _store.GetQueueAsync(Queue))!.Leased == 0, "the message was given back");
        Assert.Equal(1, (await _store.GetQueueAsync(Queue))!.Ready);
    }

    [Fact]
    public async Task A_node_that_cannot_reach_the_store_keeps_its_consumers_and_goes_on_by_itself()
    {
        _log.ExpectError("(delivery) failed for queue news");
        var there = await _a.SubscribeAsync(Queue);
        var here = await _b.SubscribeAsync(Queue);
        await PutAsync("1");
        await here.GotAsync(1);
        _b.IsAway = true;
        await PutAsync("2", "3");
        await there.GotAsync(3);

        _b.IsAway = false;
        _b.Dispatcher.OnResumed();

        await here.GotAsync(3);
        Assert.Equal(["1", "2", "3"], here.Got);
    }

    /// <summary>A consumer on each node, both of which have got a first message.</summary>
    private async Task<(TestConsumer There, TestConsumer Here)> SubscribeBothAsync()
    {
        var there = await _a.SubscribeAsync(Queue);
        var here = await _b.SubscribeAsync(Queue);
        await PutAsync("0");
        await there.GotAsync(1);
        await here.GotAsync(1);
        return (there, here);
    }

    private void Resume()
    {
        _bell.DropPercent = 0;
        _a.Dispatcher.OnResumed();
        _b.Dispatcher.OnResumed();
    }

    private async Task PutAsync(params string[] bodies)
    {
        foreach (var body in bodies)
        {
            Assert.True(
                (await _store.PutAsync(Queue, new NewMessage { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain" })).Ok,
                $"seed {_seed}");
        }
    }

    private static LeaseKey KeyOf(System.Text.Json.JsonElement line)
    {
        Assert.True(Receipt.TryParse(line.GetProperty("receipt").GetString(), out var receipt));
        return new LeaseKey(MessageId.Parse(line.GetProperty("id").GetString()!), receipt);
    }

    private static IEnumerable<string> Bodies(int first, int last) =>
        Enumerable.Range(first, last - first + 1).Select(number => $"{number}");
}
