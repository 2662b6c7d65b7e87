using System.Collections.Concurrent;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// The threads that write pages to connections, one a core. A round over a thousand connections is milliseconds of system calls; on the
/// pool's few threads every put would wait behind it. On threads of their own, which are always busy, the operating system lets a pool
/// thread that wakes for a request go first, so puts go on while messages are pushed, and the next round has more to send at once.
/// </summary>
internal sealed class FanOutThreads
{
    private readonly BlockingCollection<IThreadPoolWorkItem> _work = [];

    private FanOutThreads()
    {
        for (var i = 0; i < Environment.ProcessorCount; i++)
        {
            new Thread(Run) { IsBackground = true, Name = "PushQueue fan-out" }.Start();
        }
    }

    /// <summary>Made by the first round that needs them; the whole process shares them.</summary>
    public static FanOutThreads Shared => Made.Value;

    private static readonly Lazy<FanOutThreads> Made = new(static () => new FanOutThreads());

    public int Count { get; } = Environment.ProcessorCount;

    public void Queue(IThreadPoolWorkItem work) => _work.Add(work);

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable())
        {
            work.Execute();
        }
    }
}
