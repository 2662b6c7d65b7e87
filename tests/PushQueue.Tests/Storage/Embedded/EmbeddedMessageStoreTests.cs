using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Contracts;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>The embedded store keeps the contract, whatever its durability.</summary>
public abstract class EmbeddedMessageStoreTests(string durability) : MessageStoreContract
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public void The_store_says_how_durable_it_is() => Assert.Equal(durability, Store.Durability.ToString());

    [Fact]
    public async Task Listeners_hear_of_a_subscription_without_its_lock()
    {
        Listener.Telling = news =>
        {
            if (news is SettingsChanged && news.Queue == Sub("a"))
            {
                Task.Run(() => Subscribe(Sub("b"), Queue.Value)).WithTimeout().GetAwaiter().GetResult();
            }
        };

        await Subscribe(Sub("a"), Queue.Value);

        Assert.Equal([Sub("a"), Sub("b")], await Store.SubscribersAsync(Queue).WithTimeout());
    }

    private protected override async Task<IMessageStore> CreateStoreAsync(TestTimeProvider time, IQueueChangeListener listener)
    {
        var options = new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.TryParse(durability)! };
        var store = new EmbeddedMessageStore(options, time, Log);
        await store.OpenAsync(listener, CancellationToken.None);
        return store;
    }

    private protected override ValueTask RemoveDataAsync()
    {
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }
}

public sealed class SyncedEmbeddedMessageStoreTests() : EmbeddedMessageStoreTests("synced");

public sealed class IntervalEmbeddedMessageStoreTests() : EmbeddedMessageStoreTests("interval:50ms");

public sealed class MemoryEmbeddedMessageStoreTests() : EmbeddedMessageStoreTests("memory");
