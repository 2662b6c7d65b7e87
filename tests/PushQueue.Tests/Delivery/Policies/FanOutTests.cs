using PushQueue.Delivery;
using PushQueue.Delivery.Policies;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;
using Xunit;

namespace PushQueue.Tests.Delivery.Policies;

public sealed class FanOutTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task A_consumer_that_fails_fails_its_round_and_costs_no_other_consumer_its_message(int count)
    {
        var consumers = Enumerable.Range(1, count).Select(Consumer).ToArray();
        var failed = consumers[count / 2];
        var round = new Round(failed);

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await round.RunAsync(consumers).AsTask().WithTimeout());

        Assert.Equal(count - 1, round.Count);
        Assert.All(consumers, consumer => Assert.Equal(consumer != failed, consumer.Buffer.IsOpen));
        var next = new Round(failing: null);
        await next.RunAsync(consumers).AsTask().WithTimeout();
        Assert.Equal(count, next.Count);
    }

    private static Consumer Consumer(int number) => new(
        number,
        QueueName.Parse("news"),
        new OutboundBuffer(new RecordingConnection(), new CoarseClock(), new DeliveryOptions()),
        LineFormat.Envelopes,
        ConsumerOptions.Default,
        DateTimeOffset.UnixEpoch);

    private sealed class Round(Consumer? failing) : FanOut(new MemoryBudget())
    {
        private int _count;

        public int Count => _count;

        protected override void Give(Consumer consumer)
        {
            if (consumer == failing)
            {
                throw new InvalidOperationException("Not to this one.");
            }

            _ = Interlocked.Increment(ref _count);
        }
    }
}
