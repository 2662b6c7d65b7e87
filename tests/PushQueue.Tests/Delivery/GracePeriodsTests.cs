using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;
using Xunit;

namespace PushQueue.Tests.Delivery;

public sealed class GracePeriodsTests
{
    [Fact]
    public void A_fault_at_the_end_of_one_grace_time_leaves_the_others_and_the_process_alone()
    {
        var time = new TestTimeProvider();
        using var meter = new MessageMeter(TimeProvider.System);
        using var errors = new ErrorCounts(meter);
        using var log = new VerifyingLogger();
        log.ExpectError("(grace) failed for queue bad");
        var graces = new GracePeriods(time, node: 0, new FaultBorder("grace", log.CreateLogger("grace"), meter));
        var ended = new List<QueueName>();
        foreach (var name in new[] { "bad", "good" })
        {
            var consumer = ConsumerOf(name, graces.NewToken());
            graces.Open(consumer);
            Assert.True(graces.TryHold(consumer, over =>
            {
                if (over.Queue.Value == "bad")
                {
                    throw new InvalidOperationException("Not now.");
                }

                ended.Add(over.Queue);
            }));
        }

        time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal([QueueName.Parse("good")], ended);
        Assert.Equal(1, errors["grace"]);
        log.Verify();
    }

    private static Consumer ConsumerOf(string queue, string token)
    {
        var options = ConsumerOptions.Default with { Grace = TimeSpan.FromSeconds(10) };
        return new Consumer(
            1, QueueName.Parse(queue), buffer: null!, LineFormat.Envelopes, options, DateTimeOffset.UnixEpoch) { Token = token };
    }
}
