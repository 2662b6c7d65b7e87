using PushQueue.Queues;
using PushQueue.Tests.Support;

namespace PushQueue.Tests.Contracts;

/// <summary>The model that other stores are compared with keeps the contract too.</summary>
public sealed class ModelMessageStoreTests : MessageStoreContract
{
    private readonly ModelData _data = new();

    private protected override async Task<IMessageStore> CreateStoreAsync(TestTimeProvider time, IQueueChangeListener listener)
    {
        var store = new ModelMessageStore(_data, time);
        await store.OpenAsync(listener, CancellationToken.None);
        return store;
    }
}
