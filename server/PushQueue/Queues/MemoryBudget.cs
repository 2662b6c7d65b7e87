namespace PushQueue.Queues;

/// <summary>
/// The memory that the outbound buffers of all connections may hold together. A bound for each connection alone does not protect the
/// process: two thousand readers that stop reading hold two thousand times that bound. Its members take no lock.
/// </summary>
internal sealed class MemoryBudget
{
    // The rest is for the store's cache, requests, and what the garbage collector needs to work.
    private const int ShareOfMemory = 4;

    private readonly ManualResetEventSlim _roomLeft = new(initialState: true);
    private long _used;
    private long _leaving;

    /// <param name="bytesMax">
    /// The bound; null for a quarter of the memory that the process may use, in a container that of the container.
    /// </param>
    public MemoryBudget(long? bytesMax = null) =>
        BytesMax = bytesMax ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / ShareOfMemory;

    public long BytesMax { get; }

    /// <summary>
    /// Bytes in use. A page that waits for several connections counts once; bytes that are being written count for each connection.
    /// </summary>
    public long Used => Volatile.Read(ref _used);

    /// <summary>More is in use than allowed, so new work is refused until connections that are being closed have released theirs.</summary>
    public bool IsExceeded => Used > BytesMax;

    /// <summary>More is in use than allowed, even without that of connections that are being closed.</summary>
    public bool MustShrink => Used - Volatile.Read(ref _leaving) > BytesMax;

    /// <summary>
    /// Closing connections may stop once so much is left: a quarter is free then, so that not each write closes another one.
    /// </summary>
    public bool HasShrunk => Used - Volatile.Read(ref _leaving) <= BytesMax / 4 * 3;

    public void Add(long bytes)
    {
        if (Interlocked.Add(ref _used, bytes) > BytesMax)
        {
            _roomLeft.Reset();
        }
    }

    public void Remove(long bytes)
    {
        if (Interlocked.Add(ref _used, -bytes) <= BytesMax)
        {
            _roomLeft.Set();
        }
    }

    /// <summary>Bytes in use will be released soon, because their connection is being cut; a negative number once they were.</summary>
    public void AddLeaving(long bytes) => Interlocked.Add(ref _leaving, bytes);

    /// <summary>Blocks until the bound holds again, at most for the given time.</summary>
    public void WaitForRoom(TimeSpan timeout) => _roomLeft.Wait(timeout);
}
