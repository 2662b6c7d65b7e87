using System.Text;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task Everything_about_a_message_survives_a_reopen()
    {
        var body = Enumerable.Range(0, 256).Select(value => (byte)value).ToArray();
        await TryPut(new NewMessage
        {
            Body = body,
            ContentType = "image/x-odd; note=\"ü\"",
            Id = MessageId.Parse("invoices/ü"),
            AvailableAt = Time.GetUtcNow() + Seconds(10),
            TimeToLive = Seconds(600),
            Priority = 7,
            UniqueKey = "customer 4",
            MaxAttempts = 2,
            RetryDelay = new RetryDelay(Seconds(1), Seconds(60)),
        });
        var before = await Find(MessageId.Parse("invoices/ü"));
        Time.Advance(Seconds(1));
        await ReopenAsync();

        var after = await Find(MessageId.Parse("invoices/ü"));
        Time.Advance(Seconds(9));
        await Release(await LeaseOne());
        var retried = await Find(MessageId.Parse("invoices/ü"));
        Time.Advance(Seconds(1));
        await Release(await LeaseOne());

        Assert.Equal(body, after.Body.ToArray());
        AssertSame(before, after);
        Assert.Equal(Time.GetUtcNow(), retried.AvailableAt);
        Assert.NotNull(await TryFind(before.Id, DeadQueue));
    }

    [Fact]
    public async Task Messages_of_every_state_survive_a_reopen()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 2, MaxMessages = 100 });
        await Put("broadcast");
        await Broadcast();
        await Put("dead", maxAttempts: 1);
        await Release(await LeaseOne(worker: "w0"), new ReleaseRequest(Error: "torn"));
        await Put("leased", priority: 9);
        await LeaseOne(Seconds(600), worker: "w1");
        await Put("tried", priority: 8);
        await Release(await LeaseOne(worker: "w2"), new ReleaseRequest(Error: "no paper"));
        await Put("ready");
        await Put("delayed", delay: Seconds(30), ttl: Seconds(90));
        var before = await Everything();
        var infoBefore = await Info();
        await ReopenAsync();

        var after = await Everything();

        Assert.Equal(5, before.Count);
        Assert.Equal(before.Count, after.Count);
        Assert.All(before.Zip(after), pair => AssertSame(pair.First, pair.Second));
        Assert.Equal(infoBefore, await Info());
    }

    [Fact]
    public async Task Reopening_many_times_changes_nothing()
    {
        await PutAll("a", "b", "c");
        await LeaseOne(Seconds(600));
        for (var i = 0; i < 5; i++)
        {
            await ReopenAsync();
        }

        var ready = await Browse(MessageState.Ready);

        Assert.Equal(["b", "c"], ready);
        Assert.Equal(["a"], await Browse(MessageState.Leased));
    }

    [Fact]
    public async Task Work_between_two_reopens_survives_both()
    {
        await PutAll("a", "b");
        await ReopenAsync();
        await Take(1);
        await Put("c");
        await ReopenAsync();

        var taken = await TakeAll();

        Assert.Equal(["b", "c"], taken);
    }

    [Fact]
    public async Task Bodies_of_every_size_survive_a_reopen()
    {
        var sizes = new[] { 0, 1, 7, 8, 511, 512, 4095, 4096, 4097, 65_535, 65_536, 1024 * 1024 };
        foreach (var size in sizes)
        {
            var body = Encoding.ASCII.GetBytes(new string((char)('a' + (size % 26)), size));
            await TryPut(new NewMessage { Body = body, ContentType = "text/plain" });
        }

        await ReopenAsync();

        var taken = await Take(sizes.Length + 1);

        Assert.Equal(sizes, taken.Select(message => message.Body.Length));
        Assert.All(taken, message => Assert.Equal(-1, message.Body.Span.IndexOfAnyExcept((byte)('a' + (message.Body.Length % 26)))));
    }

    private async Task<List<Message>> Everything()
    {
        var messages = new List<Message>();
        foreach (var state in new[] { MessageState.Ready, MessageState.Delayed, MessageState.Leased })
        {
            messages.AddRange((await Store.BrowseAsync(Queue, state, null, 1000).WithTimeout()).Value.Messages);
        }

        messages.AddRange((await Store.BrowseAsync(DeadQueue, MessageState.Dead, null, 1000).WithTimeout()).Value.Messages);
        return messages;
    }

    private static void AssertSame(Message expected, Message actual)
    {
        Assert.Equal(BodyOf(expected), BodyOf(actual));
        Assert.Equal(expected.Queue, actual.Queue);
        Assert.Equal(expected.Id, actual.Id);
        Assert.Equal(expected.ContentType, actual.ContentType);
        Assert.Equal(expected.State, actual.State);
        Assert.Equal(expected.EnqueuedAt, actual.EnqueuedAt);
        Assert.Equal(expected.AvailableAt, actual.AvailableAt);
        Assert.Equal(expected.ExpiresAt, actual.ExpiresAt);
        Assert.Equal(expected.Priority, actual.Priority);
        Assert.Equal(expected.Attempt, actual.Attempt);
        Assert.Equal(expected.UniqueKey, actual.UniqueKey);
        Assert.Equal(expected.Key, actual.Key);
        Assert.Equal(expected.Headers, actual.Headers);
        Assert.Equal(expected.LeasedUntil, actual.LeasedUntil);
        Assert.Equal(expected.LastError, actual.LastError);
        Assert.Equal(expected.LastWorker, actual.LastWorker);
        Assert.Equal(expected.DeadLetter, actual.DeadLetter);
    }
}
