using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// Does one thing for each of many consumers, on as many of the <see cref="FanOutThreads"/> as there are: the consumers are cut into
/// slices, and a free thread takes the next one. The calling thread serves few consumers at once.
/// </summary>
internal abstract class FanOut(MemoryBudget memory) : IThreadPoolWorkItem
{
    // Cut connections release their memory within milliseconds; a stuck one must not hold up the round.
    private static readonly TimeSpan RoomTimeout = TimeSpan.FromMilliseconds(100);

    private const int SliceSize = 64;

    private TaskCompletionSource? _allDone;
    private Consumer[] _consumers = [];
    private int _slices;
    private int _nextSlice;
    private int _slicesDone;
    private Exception? _failure;

    public ValueTask RunAsync(Consumer[] consumers)
    {
        _consumers = consumers;
        _slices = (consumers.Length + SliceSize - 1) / SliceSize;
        if (_slices <= 1)
        {
            foreach (var consumer in consumers)
            {
                GiveOrClose(consumer);
            }

            return _failure is null ? default : ValueTask.FromException(_failure);
        }

        _allDone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var threads = FanOutThreads.Shared;
        for (var i = Math.Min(threads.Count, _slices); i > 0; i--)
        {
            threads.Queue(this);
        }

        return new ValueTask(_allDone.Task);
    }

    public void Execute()
    {
        // hot path: bench fanout
        while (Interlocked.Increment(ref _nextSlice) - 1 is var slice && slice < _slices)
        {
            if (memory.IsExceeded)
            {
                // One round over thousands of connections could use more memory than there is, before cut connections have released theirs.
                memory.WaitForRoom(RoomTimeout);
            }

            var end = Math.Min((slice + 1) * SliceSize, _consumers.Length);
            for (var i = slice * SliceSize; i < end; i++)
            {
                GiveOrClose(_consumers[i]);
            }

            if (Interlocked.Increment(ref _slicesDone) == _slices)
            {
                Complete(_allDone!);
            }
        }
    }

    private void GiveOrClose(Consumer consumer)
    {
        try
        {
            Give(consumer);
        }
        catch (Exception e)
        {
            // A border: the fault of one consumer costs no other one a message. Its own client resumes where it was, so that it misses
            // nothing. The round that awaits the last slice gets the exception.
            Volatile.Write(ref _failure, e);
            consumer.Buffer.Close(CloseReason.ServerError, keepWaiting: false);
        }
    }

    private void Complete(TaskCompletionSource allDone)
    {
        if (Volatile.Read(ref _failure) is { } failure)
        {
            allDone.SetException(failure);
        }
        else
        {
            allDone.SetResult();
        }
    }

    /// <summary>Must not block. An exception ends this consumer's connection, and fails the round when all have been served.</summary>
    protected abstract void Give(Consumer consumer);
}
