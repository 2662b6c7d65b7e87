using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task Key_and_headers_stay_with_the_message_wherever_it_goes()
    {
        var headers = Headers(("tenant", "7"), ("note", "ü, \"quoted\" \u2028 🦆"), ("empty", ""));
        await Set(new QueueSettingsPatch { MaxAttempts = 2 });
        await TryPut(Tagged("a", headers) with { Id = MessageId.Parse("x") });
        AssertTagged(await Find(MessageId.Parse("x")));
        await Release(await LeaseOne(), new ReleaseRequest(Error: "torn", Delay: Seconds(5)));
        AssertTagged(Assert.Single((await Store.BrowseAsync(Queue, MessageState.Delayed, null, 10).WithTimeout()).Value.Messages));
        Time.Advance(Seconds(5));
        AssertTagged((await Store.LookAsync(Queue).WithTimeout())!);
        var second = await LeaseOne();
        AssertTagged(second.Message);
        await Release(second);

        AssertTagged(Assert.Single((await Store.BrowseAsync(DeadQueue, MessageState.Dead, null, 10).WithTimeout()).Value.Messages));
        Assert.Equal(1, (await Store.ReplayAsync(DeadQueue, null, 1).WithTimeout()).Value);
        AssertTagged(Assert.Single(await Store.BroadcastAsync(Queue, 1, 1000).WithTimeout()));
        AssertTagged(Assert.Single((await Store.ReadHistoryAsync(Queue, 1, 1, 1000).WithTimeout())!.Messages));

        void AssertTagged(Message message)
        {
            Assert.Equal("customer ü", message.Key);
            Assert.Equal(headers, message.Headers);
            Assert.Equal("a", BodyOf(message));
        }
    }

    [Fact]
    public async Task Key_and_headers_are_each_a_messages_own()
    {
        var headers = Headers(("a", "1"));
        var outcomes = await TryPutMany(
            NewMessage("plain"),
            NewMessage("key") with { Key = "k" },
            NewMessage("headers") with { Headers = headers },
            NewMessage("unique", uniqueKey: "u") with { Key = "k", Headers = headers, TraceParent = null },
            NewMessage("plain again"));

        var taken = await Take(10);

        Assert.Equal(5, outcomes.Value.Count);
        Assert.Equal([null, "k", null, "k", null], taken.Select(static message => message.Key));
        Assert.Equal([null, null, headers, headers, null], taken.Select(static message => message.Headers));
        Assert.Equal([null, null, null, "u", null], taken.Select(static message => message.UniqueKey));
    }

    [Fact]
    public async Task Messages_of_one_key_are_not_unique()
    {
        await TryPut(NewMessage("a") with { Key = "k" });
        await TryPut(NewMessage("b", uniqueKey: "k") with { Key = "k" });

        Assert.Equal(["a", "b"], await TakeAll());
        Assert.True((await TryPut(NewMessage("c", uniqueKey: "k"))).Ok);
    }

    [Fact]
    public async Task Key_and_headers_of_every_state_survive_a_reopen()
    {
        var longest = new MessageHeadersBuilder();
        for (var i = 0; i < MessageHeaders.CountMax; i++)
        {
            Assert.Null(longest.Add($"{i:00}", new string('v', 126)));
        }

        var headers = longest.Build();
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await TryPut(Tagged("broadcast", headers));
        await Broadcast();
        await TryPut(Tagged("dead", headers));
        await Release(await LeaseOne());
        await TryPut(Tagged("leased", headers));
        await LeaseOne(Seconds(600));
        await TryPut(Tagged("ready", headers));
        await TryPut(Tagged("delayed", headers) with { AvailableAt = Time.GetUtcNow() + Seconds(60) });
        var before = await Everything();
        await ReopenAsync();

        var after = await Everything();
        var history = await Store.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout();

        Assert.Equal(before.Count, after.Count);
        Assert.All(before.Zip(after), static pair => AssertSame(pair.First, pair.Second));
        Assert.All(after.Concat(history!.Messages), message => Assert.Equal(("customer ü", headers), (message.Key, message.Headers)));
    }

    private protected static MessageHeaders Headers(params (string Name, string Value)[] headers)
    {
        var builder = new MessageHeadersBuilder();
        foreach (var (name, value) in headers)
        {
            Assert.Null(builder.Add(name, value));
        }

        return builder.Build()!;
    }

    private NewMessage Tagged(string body, MessageHeaders? headers) => NewMessage(body) with { Key = "customer ü", Headers = headers };
}
