using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Queues;

public sealed class QueueChangeFanoutTests
{
    private static readonly QueueName Queue = QueueName.Parse("orders");

    private static readonly Dictionary<string, Action<IQueueChangeListener>> Calls = new(StringComparer.Ordinal)
    {
        ["ready"] = listener => listener.OnReady(Queue),
        ["settings"] = listener => listener.OnSettingsChanged(Queue, QueueSettings.Default),
        ["deleted"] = listener => listener.OnDeleted(Queue),
        ["cancelled"] = listener => listener.OnLeasedCancelled(Queue, MessageId.FromNumber(1), default),
        ["lease ended"] = listener => listener.OnLeaseEnded(Queue, MessageId.FromNumber(1), default),
        ["worker failed"] = listener => listener.OnWorkerFailed(Queue, "worker"),
        ["finished"] = listener => listener.OnFinished(Queue, MessageId.FromNumber(1), FinishedMessage.Unseen),
        ["broadcast"] = listener => listener.OnBroadcast(Queue, 2),
        ["resumed"] = listener => listener.OnResumed(),
    };

    public static TheoryData<string> Names => [.. Calls.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_listener_that_fails_does_not_keep_a_notification_from_the_others(string name)
    {
        using var meter = new MessageMeter(TimeProvider.System);
        using var errors = new ErrorCounts(meter);
        using var log = new VerifyingLogger();
        log.ExpectError("(listener) failed");
        var failing = new RecordingListener { Telling = _ => throw new InvalidOperationException("Not now.") };
        var healthy = new RecordingListener();
        var fanout = new QueueChangeFanout([failing, healthy], log.CreateLogger<QueueChangeFanout>(), meter);

        Calls[name](fanout);

        Assert.Single(healthy.News);
        Assert.Equal(1, errors["listener"]);
        log.Verify();
    }

    [Fact]
    public void Messages_are_pushed_at_once_if_a_listener_pushes_them_and_no_take_waits()
    {
        using var meter = new MessageMeter(TimeProvider.System);
        using var log = new VerifyingLogger();
        var consumers = new RecordingListener();
        var takes = new TakeWaiters(TimeProvider.System);
        var fanout = new QueueChangeFanout([takes, consumers], log.CreateLogger<QueueChangeFanout>(), meter);
        var reversed = new QueueChangeFanout([consumers, takes], log.CreateLogger<QueueChangeFanout>(), meter);

        Assert.Null(fanout.Pushes(Queue));
        consumers.IsPushing = true;
        Assert.True(fanout.Pushes(Queue));
        var take = takes.Join(Queue, TimeSpan.FromMinutes(1), isFiltered: false, out _);
        Assert.False(fanout.Pushes(Queue));
        Assert.False(reversed.Pushes(Queue));
        Assert.True(fanout.Pushes(QueueName.Parse("other")));
        takes.Leave(take);
        Assert.True(fanout.Pushes(Queue));
    }
}
