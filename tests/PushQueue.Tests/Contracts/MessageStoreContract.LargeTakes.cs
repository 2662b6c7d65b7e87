using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Theory]
    [InlineData(1, 4, true)]
    [InlineData(1, 3, false)]
    [InlineData(3, 11, true)]
    [InlineData(3, 10, false)]
    [InlineData(9, 11, true)]
    public async Task A_take_of_more_bytes_than_at_once_takes_nothing(int count, int bytesAtOnce, bool fits)
    {
        await PutAll("four", "five", "six");

        var taken = await Store.TakeAsync(Queue, count, int.MaxValue, bytesAtOnce: bytesAtOnce).WithTimeout();

        Assert.Equal(fits ? QueueError.None : QueueError.TooLargeAtOnce, taken.Error);
        Assert.Equal(fits ? 3 - Math.Min(count, 3) : 3, (await Info()).Ready);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stopped_queue_is_leased_from_only_where_that_is_asked_for(bool evenWhenStopped)
    {
        await Put("a");
        await Set(new QueueSettingsPatch { Stopped = true });

        var leased = await Store.LeaseAsync(
            Queue, new LeaseRequest(1, int.MaxValue, TimeToRun: null, Delivery: true, EvenWhenStopped: evenWhenStopped)).WithTimeout();

        Assert.Equal(evenWhenStopped ? QueueError.None : QueueError.QueueStopped, leased.Error);
    }

    [Fact]
    public async Task A_take_of_more_bytes_than_at_once_leaves_the_turns_of_keys_as_they_were()
    {
        await Set(new QueueSettingsPatch { Fair = true, KeyInFlight = 0 });
        await PutKeyed("a1", "-1", "b1", "c1", "a2", "-2", "b2", "c2");

        var refused = await Store.TakeAsync(Queue, 8, int.MaxValue, bytesAtOnce: 5).WithTimeout();

        Assert.Equal(QueueError.TooLargeAtOnce, refused.Error);
        Assert.Equal(["a1", "-1", "b1", "c1", "a2", "-2", "b2", "c2"], await TakeAll());
    }
}
