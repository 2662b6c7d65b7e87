using System.Collections.ObjectModel;
using PushQueue.Queues;

namespace PushQueue.Testing;

/// <summary>
/// Records every message that a program puts, whether or not it is still in its queue, and notices changes of queues. Its lock is a leaf.
/// </summary>
internal sealed class PutRecord(TimeProvider time) : IQueueChangeListener
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<Client.Message>> _puts = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = NewSignal();

    /// <summary>Completes at the next change of any queue.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    public IReadOnlyList<Client.Message> Of(string queue)
    {
        lock (_gate)
        {
            return _puts.TryGetValue(queue, out var puts) ? [.. puts] : [];
        }
    }

    public void Add(QueueName queue, NewMessage message, PutOutcome outcome)
    {
        if (outcome.Duplicate)
        {
            return;
        }

        var put = new Client.Message
        {
            Queue = queue.Value,
            Id = outcome.Id.ToString(),
            Body = message.Body.ToArray(),
            ContentType = message.ContentType,
            Priority = message.Priority,
            Key = message.Key,
            Headers = Headers(message.Headers),
            EnqueuedAt = time.GetUtcNow(),
        };
        lock (_gate)
        {
            if (!_puts.TryGetValue(queue.Value, out var puts))
            {
                _puts[queue.Value] = puts = [];
            }

            puts.Add(put);
        }
    }

    public void Signal()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            (changed, _changed) = (_changed, NewSignal());
        }

        changed.SetResult();
    }

    public void OnReady(QueueName queue) => Signal();

    public void OnSettingsChanged(QueueName queue, Queues.QueueSettings settings) => Signal();

    public void OnDeleted(QueueName queue) => Signal();

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt) => Signal();

    public void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt) => Signal();

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome) => Signal();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static IReadOnlyDictionary<string, string> Headers(MessageHeaders? headers)
    {
        if (headers is null)
        {
            return ReadOnlyDictionary<string, string>.Empty;
        }

        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var header in headers)
        {
            read[header.NameText] = header.ValueText;
        }

        return read;
    }
}
