using System.Collections.Concurrent;
using PushQueue.Client.Http;

namespace PushQueue.Client.Streaming;

/// <summary>The commands that renew the token of a connection, until they are answered. The server answers them in their order.</summary>
internal sealed class RenewalAnswers
{
    private readonly ConcurrentQueue<TaskCompletionSource<StreamEvent>> _waiting = new();

    /// <summary>The answer to the command that is sent next.</summary>
    public Task<StreamEvent> Next()
    {
        var answer = new TaskCompletionSource<StreamEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue(answer);
        return answer.Task;
    }

    public void Answered(StreamEvent answer)
    {
        if (_waiting.TryDequeue(out var waiting))
        {
            waiting.SetResult(answer);
        }
    }

    /// <summary>A connection begins; what the last one owed does not come any more.</summary>
    public void Clear() => _waiting.Clear();
}
