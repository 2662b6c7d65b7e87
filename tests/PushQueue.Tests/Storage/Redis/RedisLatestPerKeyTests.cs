using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>The setting <c>history.perKey</c> over a history that one script does not read at once.</summary>
public sealed class RedisLatestPerKeyTests(SharedRedis redis) : IAsyncLifetime
{
    private const int Messages = 12_000;
    private const int Keys = 6000;

    private RedisStores _stores = null!;
    private RedisMessageStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _stores = new RedisStores(await redis.OptionsAsync());
        _store = await _stores.OpenAsync();
        await SetAsync(new QueueSettingsPatch { HistoryMessages = 2 * Messages });
        await BroadcastAsync(Enumerable.Range(0, Messages).Select(static number => Numbered(number)));
    }

    public async ValueTask DisposeAsync() => await _stores.DisposeAsync();

    [Fact]
    public async Task The_setting_begins_with_all_that_history_holds_and_ends_with_all_that_is_kept()
    {
        // The key of the last message has none that is kept; that of the first has a newer one.
        await BroadcastAsync([Numbered(Messages - 1) with { Body = default }, Numbered(0)]);

        await SetAsync(new QueueSettingsPatch { HistoryPerKey = true });
        var kept = await LatestAsync();
        await SetAsync(new QueueSettingsPatch { HistoryMessages = 10 });

        Assert.Equal([.. Enumerable.Range(Messages - Keys + 2, Keys - 2).Select(static number => (long)number), Messages + 2], kept);
        Assert.Equal(kept, await LatestAsync());

        await SetAsync(new QueueSettingsPatch { HistoryPerKey = false });
        Assert.Equal("10", (await redis.CommandAsync("HLEN", $"{HashKey}:history")).TrimStart(':').Trim());
        Assert.Equal("0", (await redis.CommandAsync("EXISTS", $"{HashKey}:latest")).TrimStart(':').Trim());
    }

    [Fact]
    public async Task The_setting_that_goes_off_and_on_keeps_what_is_the_newest_then()
    {
        await SetAsync(new QueueSettingsPatch { HistoryPerKey = true, HistoryMessages = 10 });
        await SetAsync(new QueueSettingsPatch { HistoryPerKey = false });
        await BroadcastAsync([Numbered(0)]);

        await SetAsync(new QueueSettingsPatch { HistoryPerKey = true });

        Assert.Equal(Enumerable.Range(Messages - 10 + 2, 10).Select(static number => (long)number), await LatestAsync());
    }

    private string HashKey => $"{_stores.Options.KeyPrefix}:{{{RedisStores.Queue}}}:0";

    private static NewMessage Numbered(int number) => RedisStores.Message($"{number}") with { Key = $"key-{number % Keys}" };

    private async Task SetAsync(QueueSettingsPatch patch) =>
        Assert.True((await _store.UpdateSettingsAsync(RedisStores.Queue, patch).WithTimeout()).Ok);

    private async Task BroadcastAsync(IEnumerable<NewMessage> messages)
    {
        Assert.True((await _store.PutManyAsync(RedisStores.Queue, [.. messages]).WithTimeout()).Ok);
        while ((await _store.BroadcastAsync(RedisStores.Queue, 1000, int.MaxValue).WithTimeout()).Count > 0)
        {
        }
    }

    /// <summary>The offsets of the newest message of each key.</summary>
    private async Task<IReadOnlyList<long>> LatestAsync()
    {
        var offsets = new List<long>();
        while (await _store.ReadLatestAsync(RedisStores.Queue, offsets.LastOrDefault() + 1, 1000, int.MaxValue).WithTimeout()
            is { Messages.Count: > 0 } page)
        {
            offsets.AddRange(page.Messages.Select(static message => message.Offset));
        }

        return offsets;
    }
}
