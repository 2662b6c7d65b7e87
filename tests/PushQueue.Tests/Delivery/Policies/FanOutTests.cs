using PushQueue.Delivery;
using PushQueue.Delivery.Policies;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Delivery.Policies;

public sealed class FanOutTests
{
    [Fact]
    public async Task A_consumer_that_fails_fails_its_round_and_no_thread()
    {
        var failing = new Failing();

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await failing.RunAsync(new Consumer[1000]).AsTask().WithTimeout());

        var counting = new Counting();
        await counting.RunAsync(new Consumer[1000]).AsTask().WithTimeout();
        Assert.Equal(1000, counting.Count);
    }

    private sealed class Failing() : FanOut(new MemoryBudget())
    {
        protected override void Give(Consumer consumer) => throw new InvalidOperationException("Not to this one.");
    }

    private sealed class Counting() : FanOut(new MemoryBudget())
    {
        private int _count;

        public int Count => _count;

        protected override void Give(Consumer consumer) => Interlocked.Increment(ref _count);
    }
}
