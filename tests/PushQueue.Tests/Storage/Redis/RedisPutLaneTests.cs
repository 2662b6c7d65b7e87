using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

public sealed class RedisPutLaneTests
{
    [Fact]
    public async Task A_failure_that_nobody_knows_reaches_all_who_wait_and_the_lane_goes_on()
    {
        var firstSent = new TaskCompletionSource();
        var sent = 0;
        var lane = new RedisPutLane(async messages => Interlocked.Increment(ref sent) switch
        {
            1 => await AfterAsync(firstSent.Task, messages),
            2 => throw new InvalidOperationException("Nobody knows."),
            _ => Stored(messages),
        });
        var first = lane.PutAsync(RedisStores.Message("a")).AsTask();
        var second = lane.PutAsync(RedisStores.Message("b")).AsTask();
        var third = lane.PutAsync(RedisStores.Message("c")).AsTask();

        firstSent.SetResult();

        Assert.True((await first.WithTimeout()).Ok);
        await Assert.ThrowsAsync<InvalidOperationException>(() => second.WithTimeout());
        await Assert.ThrowsAsync<InvalidOperationException>(() => third.WithTimeout());
        Assert.True((await lane.PutAsync(RedisStores.Message("d")).WithTimeout()).Ok);
    }

    private static async Task<BrokerResult<PutOutcome>[]> AfterAsync(Task before, IReadOnlyList<NewMessage> messages)
    {
        await before;
        return Stored(messages);
    }

    private static BrokerResult<PutOutcome>[] Stored(IReadOnlyList<NewMessage> messages) =>
        [.. messages.Select(static _ => BrokerResult<PutOutcome>.Success(new PutOutcome(MessageId.FromNumber(1), Duplicate: false)))];
}
