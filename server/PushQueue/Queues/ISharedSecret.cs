namespace PushQueue.Queues;

/// <summary>Random bytes that all nodes of the same queues share, and that outlive each of them.</summary>
internal interface ISharedSecret
{
    /// <summary>How many bytes it has.</summary>
    const int Bytes = 32;

    /// <summary>The secret as it is now. The first call makes it.</summary>
    /// <exception cref="StoreUnavailableException">The store cannot be read or written now.</exception>
    ValueTask<byte[]> ReadAsync();
}
