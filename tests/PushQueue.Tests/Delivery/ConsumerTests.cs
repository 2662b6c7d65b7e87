using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Transports.Framing;
using Xunit;

namespace PushQueue.Tests.Delivery;

public sealed class ConsumerTests
{
    [Fact]
    public void Its_counts_go_on_beyond_two_thousand_million()
    {
        var buffer = new OutboundBuffer(new RecordingConnection(), new CoarseClock(), new DeliveryOptions());
        var consumer = new Consumer(
            1, QueueName.Parse("news"), buffer, LineFormat.Envelopes, ConsumerOptions.Default, DateTimeOffset.UnixEpoch);

        for (var i = 0; i < 2; i++)
        {
            consumer.OnWritten(int.MaxValue, written: true);
            consumer.OnSettled(int.MaxValue, HeldEnd.Failed);
        }

        Assert.Equal(2L * int.MaxValue, consumer.Delivered);
        Assert.Equal(2L * int.MaxValue, consumer.Acked);
        Assert.Equal(2L * int.MaxValue, consumer.Failed);
    }
}
