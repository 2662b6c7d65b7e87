using System.Globalization;
using System.Text;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Queues that are longer than what a script looks at in one go.</summary>
public sealed class RedisPageTests(SharedRedis redis)
{
    private static readonly QueueName Queue = RedisStores.Queue;

    [Fact]
    public async Task Pages_go_on_behind_a_message_that_is_gone()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var store = await stores.OpenAsync();
        await PutAsync(store, Queue, 450);
        var seen = new List<string>();
        string? after = null;
        do
        {
            var page = (await store.BrowseAsync(Queue, MessageState.Ready, after, 120).WithTimeout()).Value;
            seen.AddRange(page.Messages.Select(static message => Encoding.UTF8.GetString(message.Body.Span)));
            after = page.Next;
            Assert.True((await store.CancelAsync(Queue, page.Messages[^1].Id)).Value);
        }
        while (after is not null);

        Assert.Equal(Enumerable.Range(0, 450).Select(Text), seen);
    }

    [Fact]
    public async Task A_look_for_dead_letters_among_many_others_ends_soon_and_goes_on_where_it_ended()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var store = await stores.OpenAsync();
        await PutAsync(store, Queue.DeadLetter, 5050);
        await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxAttempts = 1 });
        await PutAsync(store, Queue, 1);
        var lease = Assert.Single((await store.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeSpan.FromSeconds(30)))).Value);
        await store.ReleaseAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)], new ReleaseRequest());

        var first = (await store.BrowseAsync(Queue.DeadLetter, MessageState.Dead, null, 10).WithTimeout()).Value;
        var second = (await store.BrowseAsync(Queue.DeadLetter, MessageState.Dead, first.Next, 10).WithTimeout()).Value;

        Assert.Empty(first.Messages);
        Assert.Single(second.Messages);
        Assert.Null(second.Next);
    }

    [Fact]
    public async Task The_oldest_messages_go_first_from_a_full_queue_whatever_their_priority_and_number()
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        var time = new TestTimeProvider();
        var store = await stores.OpenAsync(time: time);
        await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxMessages = 600, Overflow = FullQueuePolicy.DropOldest });
        foreach (var (from, priority) in new[] { (0, 1), (150, 9), (300, 1), (450, 5) })
        {
            await PutAsync(store, Queue, 150, from, priority);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await PutAsync(store, Queue, 400, 600);

        var left = (await store.BrowseAsync(Queue, MessageState.Ready, null, 1000).WithTimeout()).Value.Messages
            .Select(static message => int.Parse(Encoding.UTF8.GetString(message.Body.Span), CultureInfo.InvariantCulture));
        Assert.Equal(Enumerable.Range(400, 600), left.Order());
    }

    private static async Task PutAsync(IMessageStore store, QueueName queue, int count, int from = 0, int priority = 5)
    {
        var messages = Enumerable.Range(from, count)
            .Select(number => RedisStores.Message(Text(number)) with { Priority = priority })
            .ToList();
        Assert.True((await store.PutManyAsync(queue, messages).WithTimeout()).Ok);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
