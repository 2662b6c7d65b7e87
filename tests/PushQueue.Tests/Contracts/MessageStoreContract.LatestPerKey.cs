using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    private static readonly QueueSettingsPatch KeepsTwoAndTheLatest = new() { HistoryMessages = 2, HistoryPerKey = true };

    [Fact]
    public async Task The_newest_broadcast_message_of_each_key_stays_beyond_the_limits_of_history()
    {
        await Set(KeepsTwoAndTheLatest);
        await BroadcastKeyed(("a", "a1"), ("b", "b1"), ("a", "a2"), (null, "plain"), ("c", "c1"), (null, "last"));

        Assert.Equal(["b1 2", "a2 3", "c1 5"], await Latest());
        Assert.Equal(["c1", "last"], BodiesOf((await Store.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout())!.Messages));
        await BroadcastKeyed(("b", "b2"));
        Assert.Equal(["a2 3", "c1 5", "b2 7"], await Latest());
        Assert.Equal((6L, 8L), ((await Info()).Position.FirstOffset, (await Info()).Position.NextOffset));
    }

    [Fact]
    public async Task A_message_with_an_empty_body_removes_what_is_kept_of_its_key()
    {
        await Set(KeepsTwoAndTheLatest);
        await BroadcastKeyed(("a", "a1"), ("b", "b1"), (null, "x"), (null, "y"), (null, "z"));
        await BroadcastKeyed(("a", ""));

        Assert.Equal(["b1 2"], await Latest());
        await BroadcastKeyed((null, "x"), (null, "y"), (null, "z"), ("a", "a2"));
        Assert.Equal(["b1 2", "a2 10"], await Latest());
    }

    [Fact]
    public async Task What_is_kept_of_a_key_outlives_the_age_of_history_and_a_reopen()
    {
        await Set(new QueueSettingsPatch { HistoryAge = Seconds(10), HistoryPerKey = true });
        await BroadcastKeyed(("a", "a1"), ("b", "b1"), ("a", "a2"));
        Time.Advance(Seconds(11));
        Assert.Equal(["b1 2", "a2 3"], await Latest());
        for (var i = 0; i < 2 && Persists; i++)
        {
            await ReopenAsync();
            Assert.Equal(["b1 2", "a2 3"], await Latest());
            Assert.Empty((await Store.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout())!.Messages);
        }

        await BroadcastKeyed(("b", "b2"), ("a", ""));
        if (Persists)
        {
            await ReopenAsync();
        }

        Assert.Equal(["b2 4"], await Latest());
    }

    [Fact]
    public async Task The_setting_begins_with_what_history_holds_and_drops_what_is_kept_when_it_ends()
    {
        await BroadcastKeyed(("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", ""));
        Assert.Empty(await Latest());
        await Set(new QueueSettingsPatch { HistoryPerKey = true });
        Assert.Equal(["a2 3"], await Latest());
        await Set(new QueueSettingsPatch { HistoryMessages = 0 });
        Assert.Equal(["a2 3"], await Latest());

        await Set(new QueueSettingsPatch { HistoryPerKey = false });
        Assert.Empty(await Latest());
        await Set(new QueueSettingsPatch { HistoryPerKey = true });
        Assert.Empty(await Latest());
        if (Persists)
        {
            await ReopenAsync();
            Assert.Empty(await Latest());
        }
    }

    [Fact]
    public async Task The_newest_of_many_keys_are_read_in_pages()
    {
        await Set(KeepsTwoAndTheLatest);
        await BroadcastKeyed([.. Enumerable.Range(0, 300).Select(static i => ((string?)$"k{i % 100}", $"m{i}"))]);

        var read = new List<string>();
        for (var from = 1L; ;)
        {
            var page = await Store.ReadLatestAsync(Queue, from, 30, 1000).WithTimeout();
            if (page!.Messages.Count == 0)
            {
                break;
            }

            read.AddRange(BodiesOf(page.Messages));
            from = page.Messages[^1].Offset + 1;
        }

        Assert.Equal(Enumerable.Range(200, 100).Select(static i => $"m{i}"), read);
        Assert.Equal(3, (await Store.ReadLatestAsync(Queue, 1, 30, 12).WithTimeout())!.Messages.Count);
        Assert.Null(await Store.ReadLatestAsync(QueueName.Parse(Queue.Value + ".none"), 1, 30, 1000).WithTimeout());
    }

    [Fact]
    public async Task What_is_kept_goes_with_its_queue()
    {
        await Set(KeepsTwoAndTheLatest);
        await BroadcastKeyed(("a", "a1"), (null, "x"), (null, "y"), (null, "z"));
        await Store.DeleteQueueAsync(Queue).WithTimeout();
        await Set(KeepsTwoAndTheLatest);

        Assert.Empty(await Latest());
        if (Persists)
        {
            await ReopenAsync();
            Assert.Empty(await Latest());
        }
    }

    private async Task<string[]> Latest() =>
        [.. (await Store.ReadLatestAsync(Queue, 0, 1000, 1_000_000).WithTimeout())!.Messages.Select(
            static message => $"{BodyOf(message)} {message.Offset}")];

    private async Task BroadcastKeyed(params (string? Key, string Body)[] messages)
    {
        foreach (var (key, body) in messages)
        {
            Assert.True((await TryPut(NewMessage(body) with { Key = key })).Ok);
            Assert.Single(await Store.BroadcastAsync(Queue, 1, 1000).WithTimeout());
        }
    }
}
