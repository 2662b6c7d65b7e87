using System.Collections.Concurrent;

namespace PushQueue.Client;

/// <summary>The work that has begun and not ended.</summary>
internal sealed class RunningWork
{
    private readonly ConcurrentDictionary<Task, byte> _tasks = new();

    public void Add(Task work)
    {
        _tasks[work] = 0;
        _ = work.ContinueWith(
            static (done, tasks) => ((ConcurrentDictionary<Task, byte>)tasks!).TryRemove(done, out _),
            _tasks, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public Task AllAsync() => Task.WhenAll(_tasks.Keys);
}
