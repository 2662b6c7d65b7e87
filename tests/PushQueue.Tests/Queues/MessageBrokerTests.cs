using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Queues;
using PushQueue.Tests.Contracts;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Queues;

public sealed class MessageBrokerTests : IAsyncLifetime
{
    private static readonly QueueName Queue = QueueName.Parse("test");

    private readonly TestTimeProvider _time = new();
    private readonly MessageMeter _meter = new(TimeProvider.System);
    private readonly TakeWaiters _waiters;
    private readonly FinishWaiters _finishes = new();
    private readonly WorkerRegistry _workers;
    private readonly ModelMessageStore _store;
    private readonly MessageBroker _broker;

    public MessageBrokerTests()
    {
        _waiters = new TakeWaiters(_time);
        _workers = new WorkerRegistry(_time, new QueuesOptions());
        _store = new ModelMessageStore(new ModelData(), _time);
        _broker = new MessageBroker(
            _store,
            _waiters,
            _finishes,
            _workers,
            new MessageTails(_time),
            new QueuesOptions { MessageBytesMax = 10 },
            _time);
    }

    public async ValueTask InitializeAsync()
    {
        var fanout = new QueueChangeFanout([_waiters, _finishes, _workers], NullLogger<QueueChangeFanout>.Instance, _meter);
        await _store.OpenAsync(fanout, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _meter.Dispose();
    }

    [Fact]
    public async Task Waiting_takes_are_served_in_the_order_of_their_coming()
    {
        var waiting = Enumerable.Range(0, 5).Select(_ => WaitAsync()).ToArray();

        await PutManyAsync("a", "b", "c", "d", "e");

        var bodies = new List<string>();
        foreach (var take in waiting)
        {
            bodies.AddRange(await BodiesAsync(take));
        }

        Assert.Equal(["a", "b", "c", "d", "e"], bodies);
        Assert.Equal(0, _waiters.Count);
    }

    [Fact]
    public async Task A_wait_ends_empty_after_its_time_and_after_a_minute_at_most()
    {
        var asked = WaitAsync(TimeSpan.FromSeconds(20));
        var longest = WaitAsync(TimeSpan.FromDays(1));

        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Empty(await BodiesAsync(asked));
        Assert.False(longest.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(40));
        Assert.Empty(await BodiesAsync(longest));
    }

    [Fact]
    public async Task A_caller_that_goes_away_takes_nothing_and_the_next_gets_it()
    {
        using var gone = new CancellationTokenSource();
        var first = WaitAsync(cancellationToken: gone.Token);
        var second = WaitAsync();

        await gone.CancelAsync();
        await PutManyAsync("a");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WithTimeout());
        Assert.Equal(["a"], await BodiesAsync(second));
    }

    [Fact]
    public async Task A_take_with_a_filter_waits_for_a_message_that_matches()
    {
        var seven = WaitAsync(where: "t=7");
        var eight = WaitAsync(where: "t=8");
        await Eventually.TrueAsync(() => _waiters.Count == 2, "both wait");

        await PutAsync("nine", "9");
        await PutAsync("eight", "8");

        Assert.Equal(["eight"], await BodiesAsync(eight));
        Assert.False(seven.IsCompleted);
        await PutAsync("seven", "7");
        Assert.Equal(["seven"], await BodiesAsync(seven));
        Assert.Equal(0, _waiters.Count);
    }

    [Fact]
    public async Task A_take_with_a_filter_blocks_no_take_behind_it()
    {
        var filtered = WaitAsync(where: "t=7");
        var any = WaitAsync();
        await Eventually.TrueAsync(() => _waiters.Count == 2, "both wait");

        await PutAsync("eight", "8");

        Assert.Equal(["eight"], await BodiesAsync(any));
        await PutAsync("seven", "7");
        Assert.Equal(["seven"], await BodiesAsync(filtered));
    }

    [Fact]
    public async Task Many_takes_with_filters_each_get_their_own()
    {
        var waiting = Enumerable.Range(0, 50).Select(i => WaitAsync(where: $"t={i}")).ToArray();
        await Eventually.TrueAsync(() => _waiters.Count == 50, "all wait");

        await Task.WhenAll(Enumerable.Range(0, 50).Reverse().Select(i => PutAsync($"{i}", $"{i}")));

        for (var i = 0; i < waiting.Length; i++)
        {
            Assert.Equal([$"{i}"], await BodiesAsync(waiting[i]));
        }
    }

    [Fact]
    public async Task A_take_with_a_filter_that_goes_away_passes_its_turn_on()
    {
        using var gone = new CancellationTokenSource();
        var first = WaitAsync(cancellationToken: gone.Token, where: "t=7");
        var second = WaitAsync(where: "t=7");
        await Eventually.TrueAsync(() => _waiters.Count == 2, "both wait");

        await gone.CancelAsync();
        await PutAsync("seven", "7");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WithTimeout());
        Assert.Equal(["seven"], await BodiesAsync(second));
    }

    [Fact]
    public async Task A_take_with_a_filter_ends_after_its_wait_and_at_a_stop_of_the_queue()
    {
        await PutAsync("eight", "8");
        var waiting = WaitAsync(TimeSpan.FromSeconds(5), where: "t=7");
        await Eventually.TrueAsync(() => _waiters.Count == 1, "it waits");
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(await BodiesAsync(waiting));

        Task<BrokerResult<IReadOnlyList<Message>>>[] stopped = [WaitAsync(where: "t=7"), WaitAsync(where: "t=9")];
        await Eventually.TrueAsync(() => _waiters.Count == 2, "both wait");
        await _broker.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Stopped = true });

        foreach (var take in stopped)
        {
            Assert.Equal(QueueError.QueueStopped, (await take.WithTimeout()).Error);
        }
    }

    [Fact]
    public async Task A_delayed_message_wakes_who_waits_when_it_falls_due()
    {
        await _broker.PutAsync(Queue, Message("later", _time.GetUtcNow().AddSeconds(5)));
        var waiting = WaitAsync();
        await Eventually.TrueAsync(() => _waiters.Count == 1, "the take waits");

        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(["later"], await BodiesAsync(waiting));
    }

    [Fact]
    public async Task Stopping_a_queue_answers_everyone_who_waits_on_it()
    {
        var waiting = Enumerable.Range(0, 3).Select(_ => WaitAsync()).ToArray();

        await _broker.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Stopped = true });

        foreach (var take in waiting)
        {
            Assert.Equal(QueueError.QueueStopped, (await take.WithTimeout()).Error);
        }
    }

    [Fact]
    public async Task A_drain_ends_waits_with_nothing_and_refuses_new_work_but_not_acks()
    {
        await _broker.PutAsync(Queue, Message("a"));
        var lease = (await _broker.LeaseAsync(Queue, new TakeRequest(Worker: "w"), CancellationToken.None)).Value[0];
        var waiting = WaitAsync();

        _broker.BeginDrain();

        Assert.Empty(await BodiesAsync(waiting));
        Assert.Equal(QueueError.ShuttingDown, (await _broker.PutAsync(Queue, Message("b"))).Error);
        Assert.Equal(QueueError.ShuttingDown, (await WaitAsync()).Error);
        Assert.Equal([QueueError.None], await _broker.AckAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)]));
        Assert.Equal(1, Assert.Single(_workers.List()).Processed);
    }

    [Fact]
    public async Task Bodies_above_the_limit_are_refused_alone_and_in_a_batch()
    {
        Assert.Equal(QueueError.MessageTooLarge, (await _broker.PutAsync(Queue, Message("12345678901"))).Error);
        var batch = await _broker.PutManyAsync(Queue, [Message("1"), Message("12345678901")]);
        Assert.Equal(QueueError.MessageTooLarge, batch.Error);
        Assert.Null(await _broker.GetQueueAsync(Queue));
    }

    [Fact]
    public async Task A_take_of_many_gets_as_many_as_there_are_in_order()
    {
        await PutManyAsync([.. Enumerable.Range(0, 500).Select(i => $"{i}")]);

        var taken = await _broker.TakeAsync(Queue, new TakeRequest(Count: 400), CancellationToken.None);

        Assert.Equal(
            Enumerable.Range(0, 400).Select(i => $"{i}"),
            taken.Value.Select(message => Encoding.UTF8.GetString(message.Body.Span)));
        Assert.Equal(100, (await _broker.TakeAsync(Queue, new TakeRequest(Count: 400), CancellationToken.None)).Value.Count);
    }

    [Fact]
    public void Worker_names_are_bounded()
    {
        for (var i = 0; i < WorkerRegistry.WorkersMax + 10; i++)
        {
            _workers.Seen(Queue, $"w{i}");
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(WorkerRegistry.WorkersMax, _workers.Count);
        Assert.True(_workers.Forget(Queue, $"w{WorkerRegistry.WorkersMax}"));
        Assert.False(_workers.Forget(Queue, "w0"));
    }

    private Task<BrokerResult<IReadOnlyList<Message>>> WaitAsync(
        TimeSpan? wait = null, CancellationToken cancellationToken = default, string? where = null)
    {
        Assert.True(MessageFilter.TryParse(where is null ? [] : [where], out var filter, out _));
        var request = new TakeRequest(Wait: wait ?? TimeSpan.FromSeconds(30), Selection: Selection.Where(filter));
        return _broker.TakeAsync(Queue, request, cancellationToken).AsTask();
    }

    private async Task PutAsync(string body, string t)
    {
        var headers = new MessageHeadersBuilder();
        Assert.Null(headers.Add("t", t));
        Assert.True((await _broker.PutAsync(Queue, Message(body) with { Headers = headers.Build() })).Ok);
    }

    private static async Task<IEnumerable<string>> BodiesAsync(Task<BrokerResult<IReadOnlyList<Message>>> take) =>
        (await take.WithTimeout()).Value.Select(message => Encoding.UTF8.GetString(message.Body.Span));

    private async Task PutManyAsync(params string[] bodies) =>
        Assert.True((await _broker.PutManyAsync(Queue, [.. bodies.Select(body => Message(body))])).Ok);

    private static NewMessage Message(string body, DateTimeOffset? availableAt = null) =>
        new() { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain", AvailableAt = availableAt };
}
