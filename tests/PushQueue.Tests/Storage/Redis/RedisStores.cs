using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Stores of one test, as many nodes as it wants, and what it does with them again and again.</summary>
internal sealed class RedisStores(RedisStoreOptions options) : IAsyncDisposable
{
    private readonly List<RedisMessageStore> _opened = [];

    public static QueueName Queue { get; } = QueueName.Parse("jobs");

    public VerifyingLogger Log { get; } = new();

    public RedisStoreOptions Options => options;

    public async Task<RedisMessageStore> OpenAsync(
        IQueueChangeListener? listener = null, Func<RedisStoreOptions, RedisStoreOptions>? change = null, TimeProvider? time = null)
    {
        var store = new RedisMessageStore(change?.Invoke(options) ?? options, time ?? TimeProvider.System, Log);
        _opened.Add(store);
        await store.OpenAsync(listener ?? new RecordingListener(), CancellationToken.None).WithTimeout();
        return store;
    }

    /// <summary>A node that sends one heartbeat, when it starts, so that the others declare it dead.</summary>
    public Task<RedisMessageStore> OpenDyingAsync(IQueueChangeListener? listener = null) =>
        OpenAsync(
            listener,
            static options => options with { HeartbeatInterval = TimeSpan.FromHours(1), NodeTimeout = TimeSpan.FromSeconds(1) });

    public static NewMessage Message(string body, TimeSpan? delay = null) => new()
    {
        Body = Encoding.UTF8.GetBytes(body),
        ContentType = "text/plain",
        AvailableAt = delay is { } wait ? TimeProvider.System.GetUtcNow() + wait : null,
    };

    public static async Task PutAsync(IMessageStore store, string body, QueueName? queue = null) =>
        Assert.True((await store.PutAsync(queue ?? Queue, Message(body)).WithTimeout()).Ok);

    /// <summary>Puts again and again until the store takes it.</summary>
    public static Task PutAtLastAsync(IMessageStore store, string body) => Eventually.TrueAsync(
        async () => (await store.PutAsync(Queue, Message(body)).WithTimeout()).Ok, "the store takes puts again");

    public static async Task<string[]> TakeAllAsync(IMessageStore store) =>
        [
            .. (
                await store.TakeAsync(Queue, 1000, int.MaxValue).WithTimeout()).Value.Select(static message =>
                    Encoding.UTF8.GetString(message.Body.Span))
        ];

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _opened)
        {
            await store.DisposeAsync().WithTimeout();
        }

        Log.Verify();
    }
}
