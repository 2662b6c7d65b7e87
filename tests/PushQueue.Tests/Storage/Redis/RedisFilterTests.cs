using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Searches with a filter that take several scripts, while others change the queue.</summary>
public sealed class RedisFilterTests(SharedRedis redis) : IAsyncLifetime
{
    private RedisStores _stores = null!;

    public async ValueTask InitializeAsync() => _stores = new RedisStores(await redis.OptionsAsync());

    public async ValueTask DisposeAsync() => await _stores.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_search_passes_over_nothing_when_others_take_messages_that_it_has_seen(bool fair)
    {
        var time = new InterruptingTime();
        var other = await _stores.OpenAsync();
        var store = await _stores.OpenAsync(change: static options => options with { FollowsClockOfRedis = false }, time: time);
        Assert.True((await other.UpdateSettingsAsync(RedisStores.Queue, new QueueSettingsPatch { Fair = fair }).WithTimeout()).Ok);

        // One script looks at 1,000 messages.
        const int Place = 1005;
        NewMessage[] messages = [.. Enumerable.Range(0, 1100).Select(Numbered)];
        messages[Place] = messages[Place] with { Headers = Header("found") };
        Assert.True((await other.PutManyAsync(RedisStores.Queue, messages).WithTimeout()).Ok);
        Assert.True(MessageFilter.TryParse(["t=found"], out var filter, out _));

        time.InterruptBeforeCall(2, () =>
        {
            var first = other.TakeAsync(RedisStores.Queue, 10, 1000).WithTimeout().GetAwaiter().GetResult();
            Assert.Equal(10, first.Value.Count);
        });
        var taken = await store.TakeAsync(RedisStores.Queue, 1, 1000, Selection.Where(filter)).WithTimeout();

        Assert.True(time.WasInterrupted);
        Assert.Equal($"{Place}", System.Text.Encoding.UTF8.GetString(Assert.Single(taken.Value).Body.Span));
    }

    private static NewMessage Numbered(int number) => RedisStores.Message($"{number}") with
    {
        Headers = Header("other"),
        Key = number % 2 == 0 ? $"{number}" : null,
    };

    private static MessageHeaders Header(string value)
    {
        var builder = new MessageHeadersBuilder();
        Assert.Null(builder.Add("t", value));
        return builder.Build()!;
    }

    /// <summary>Does something just before a script that the test's own call runs: each reads the time.</summary>
    private sealed class InterruptingTime : TimeProvider
    {
        private readonly AsyncLocal<Counter?> _counter = new();

        public bool WasInterrupted { get; private set; }

        public void InterruptBeforeCall(int number, Action interrupt) =>
            _counter.Value = new Counter { Left = number, Interrupt = interrupt };

        public override DateTimeOffset GetUtcNow()
        {
            if (_counter.Value is { } counter && --counter.Left == 0)
            {
                WasInterrupted = true;
                counter.Interrupt();
            }

            return base.GetUtcNow();
        }

        private sealed class Counter
        {
            public int Left { get; set; }

            public required Action Interrupt { get; init; }
        }
    }
}
