using System.Globalization;
using System.Text.RegularExpressions;
using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>A user of Redis with the rights that docs/redis.md lists, and with fewer.</summary>
public sealed partial class RedisRightsTests
{
    private const string Password = "p,ss=w?rd/#1";

    private static readonly QueueName Queue = RedisStores.Queue;

    [Fact]
    public async Task The_rights_in_the_documentation_are_enough_for_everything()
    {
        await using var redis = await RedisServer.StartAsync();
        await SetUserAsync(redis);
        await using var stores = new RedisStores(OptionsOf(redis));
        var store = await stores.OpenAsync();
        await stores.OpenAsync();

        await store.UpdateSettingsAsync(
            Queue,
            new QueueSettingsPatch { MaxAttempts = 1, MaxMessages = 100, DedupWindow = TimeSpan.FromMinutes(1) });
        await RedisStores.PutAsync(store, "a");
        await RedisStores.PutAsync(store, "b");
        var lease = (await store.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeSpan.FromSeconds(30)))).Value[0];
        Assert.Equal([QueueError.None], await store.ReleaseAsync(Queue, [KeyOf(lease)], new ReleaseRequest()));
        Assert.Equal(1, (await store.ReplayAsync(Queue.DeadLetter, null, 10)).Value);
        Assert.Equal(2, (await store.BroadcastAsync(Queue, 10, 1000)).Count);
        Assert.Equal(2, (await store.ReadHistoryAsync(Queue, 1, 10, 1000))!.Messages.Count);
        Assert.Equal(2, (await store.ListQueuesAsync(null, 10)).Queues.Count);
        Assert.True((await store.DeleteQueueAsync(Queue)).Value);
        Assert.Null(store.UnavailableReason);
    }

    [Theory]
    [InlineData("-time", "+time")]
    [InlineData("-publish", "+publish")]
    [InlineData("-subscribe", "+subscribe")]
    [InlineData("-evalsha", "+evalsha")]
    [InlineData("-script|load", "+script|load")]
    [InlineData("-hset", "+hset")]
    [InlineData("-zrangebylex", "+zrangebylex")]
    [InlineData("resetkeys", "~pq:*")]
    [InlineData("resetkeys %R~pq:*", "+hset")]
    [InlineData("resetchannels", "&pq:*")]
    [InlineData("-eval", "'eval'")]
    [InlineData("-info", "'info'")]
    public async Task A_missing_right_ends_the_start_with_its_name(string rule, string named)
    {
        await using var redis = await RedisServer.StartAsync();
        await SetUserAsync(redis, rule);

        var sentence = await SentenceAsync(OptionsOf(redis));

        Assert.Contains(named, sentence, StringComparison.Ordinal);
        Assert.Contains("docs/redis.md", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_for_replicas_needs_a_right_of_its_own()
    {
        await using var redis = await RedisServer.StartAsync();
        await SetUserAsync(redis);

        var sentence = await SentenceAsync(OptionsOf(redis) with { WaitForReplicas = 1 });

        Assert.Contains("+wait", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-time", "+time")]
    [InlineData("-publish", "+publish")]
    public async Task A_right_that_is_taken_away_makes_the_node_unavailable_until_it_is_back(string rule, string right)
    {
        await using var redis = await RedisServer.StartAsync();
        await SetUserAsync(redis);
        await using var stores = new RedisStores(OptionsOf(redis));
        var store = await stores.OpenAsync();

        await AclAsync(redis, rule);
        var refused = await store.PutAsync(Queue, RedisStores.Message("a")).WithTimeout();
        await Eventually.TrueAsync(
            () => store.UnavailableReason?.Contains(right, StringComparison.Ordinal) == true, "the node names the right");
        await AclAsync(redis, right);
        await RedisStores.PutAtLastAsync(store, "b");

        Assert.Equal(QueueError.StoreUnavailable, refused.Error);
        Assert.Contains(stores.Log.Entries, entry => entry.Text.Contains(right, StringComparison.Ordinal));
        Assert.Null(store.UnavailableReason);
    }

    /// <summary>The user of docs/redis.md, and further rules.</summary>
    private static async Task SetUserAsync(RedisServer redis, string rules = "")
    {
        var documented = DocumentedLine()
            .Match(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "redis.md")))
            .Groups["rules"]
            .Value;
        Assert.Contains(">PASSWORD", documented, StringComparison.Ordinal);
        await AclAsync(redis, $"{documented.Replace(">PASSWORD", $">{Password}", StringComparison.Ordinal)} {rules}");
    }

    private static async Task AclAsync(RedisServer redis, string rules) => Assert.StartsWith(
        "+OK", await redis.CommandAsync(
            ["ACL", "SETUSER", "pushqueue", .. rules.Split(' ', StringSplitOptions.RemoveEmptyEntries)]), StringComparison.Ordinal);

    private static async Task<string> SentenceAsync(RedisStoreOptions options)
    {
        using var log = new VerifyingLogger();
        await using var store = new RedisMessageStore(options, TimeProvider.System, log);
        return (
            await Assert.ThrowsAsync<StoreOpenException>(
                () => store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout())).Message;
    }

    private static RedisStoreOptions OptionsOf(RedisServer redis) => new()
    {
        Configuration = string.Create(
            CultureInfo.InvariantCulture,
            $"redis://pushqueue:{Uri.EscapeDataString(Password)}@127.0.0.1:{redis.Port}"),
    };

    private static LeaseKey KeyOf(Lease lease) => new(lease.Message.Id, lease.Receipt);

    [
        GeneratedRegex(
            "^ACL SETUSER pushqueue (?<rules>.*)$",
            RegexOptions.Multiline | RegexOptions.ExplicitCapture,
            matchTimeoutMilliseconds: 1000)
    ]
    private static partial Regex DocumentedLine();
}
