using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

/// <summary>The events of a store when a lease ends without an ack.</summary>
public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_lease_that_ends_by_time_is_told_with_its_receipt_and_as_a_failure_of_its_worker()
    {
        var id = await Put("a");
        var lease = await LeaseOne(Seconds(30), worker: "w1");

        Time.Advance(Seconds(30));

        Assert.Equal(new LeaseEnded(Queue, id, lease.Receipt), await Listener.WaitForAsync<LeaseEnded>(Queue));
        Assert.Equal(new WorkerFailed(Queue, "w1"), await Listener.WaitForAsync<WorkerFailed>(Queue));
        Assert.Equal(QueueError.LeaseLost, await Ack(lease));
    }

    [Fact]
    public async Task A_release_is_told_as_the_end_of_the_lease()
    {
        var id = await Put("a");
        var lease = await LeaseOne(worker: "w1");

        await Release(lease);

        Assert.Equal(new LeaseEnded(Queue, id, lease.Receipt), await Listener.WaitForAsync<LeaseEnded>(Queue));
        await Listener.WaitForAsync<WorkerFailed>(Queue);
    }

    [Fact]
    public async Task A_release_that_does_not_count_is_no_failure_of_the_worker()
    {
        await Put("a");
        var lease = await LeaseOne(worker: "w1");

        await Release(lease, new ReleaseRequest(CountsAsAttempt: false));

        await Listener.WaitForAsync<LeaseEnded>(Queue);
        Assert.DoesNotContain(Listener.News, news => news is WorkerFailed);
    }

    [Fact]
    public async Task A_reschedule_of_a_leased_message_is_told_as_the_end_of_the_lease()
    {
        var id = await Put("a");
        var lease = await LeaseOne();

        await Store.RescheduleAsync(Queue, id, Time.GetUtcNow() + Seconds(10)).WithTimeout();

        Assert.Equal(new LeaseEnded(Queue, id, lease.Receipt), await Listener.WaitForAsync<LeaseEnded>(Queue));
    }

    [Fact]
    public async Task The_end_of_a_last_attempt_is_told_as_the_end_of_the_lease_too()
    {
        await Put("a", maxAttempts: 1);
        var lease = await LeaseOne();

        await Release(lease);

        await Listener.WaitForAsync<LeaseEnded>(Queue);
        Assert.Equal("max-attempts", (await Listener.WaitForAsync<Finished>(Queue)).Outcome.Reason);
    }

    [Fact]
    public async Task An_ack_is_told_with_the_receipt_of_the_lease_that_it_ends()
    {
        var id = await Put("a");
        var lease = await LeaseOne();

        await Ack(lease);

        Assert.Equal(
            new FinishedMessage(Acked: true, Worker: null, 1, Reason: null, Receipt: lease.Receipt),
            (await Listener.WaitForAsync<Finished>(Queue)).Outcome);
        Assert.Equal(id, (await Listener.WaitForAsync<Finished>(Queue)).Id);
    }

    [Fact]
    public async Task A_lease_that_lasts_only_while_a_message_is_written_ends_untold()
    {
        await Put("a");
        var leases = await Store.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeToRun: null, Worker: "w1", Delivery: true)).WithTimeout();
        Listener.Clear();

        await Release(leases.Value[0], new ReleaseRequest(CountsAsAttempt: false));

        await Listener.WaitForAsync<BecameReady>(Queue);
        Assert.DoesNotContain(Listener.News, news => news is LeaseEnded or WorkerFailed);
    }

    [Fact]
    public async Task A_check_tells_whether_leases_stand_and_leaves_them_as_they_are()
    {
        await Put("standing");
        await Put("lost");
        await Put("gone");
        var standing = await LeaseOne(Seconds(30));
        var lost = await LeaseOne();
        var gone = await LeaseOne();
        await Release(lost, new ReleaseRequest(Seconds(60)));
        await Ack(gone);
        Time.Advance(Seconds(20));

        LeaseKey[] keys =
        [
            new(standing.Message.Id, standing.Receipt),
            new(lost.Message.Id, lost.Receipt),
            new(gone.Message.Id, gone.Receipt),
        ];
        Assert.Equal([QueueError.None, QueueError.LeaseLost, QueueError.NotFound], await Store.CheckAsync(Queue, keys).WithTimeout());
        Assert.Equal([QueueError.NotFound], await Store.CheckAsync(QueueName.Parse("never-made"), keys[..1]).WithTimeout());

        Time.Advance(Seconds(10));
        Assert.Equal(QueueError.LeaseLost, await Ack(standing));
    }
}
