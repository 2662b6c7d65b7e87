using System.Reflection;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;

namespace PushQueue.Tests.Support;

/// <summary>
/// A fault inside one queue of an embedded store, until it is disposed: a part of the queue is missing, so that what uses it throws.
/// </summary>
internal sealed class Sabotage : IDisposable
{
    private readonly QueueState _queue;
    private readonly FieldInfo _field;
    private readonly object _part;

    private Sabotage(EmbeddedQueue queue, Type part)
    {
        using (var transaction = queue.Begin())
        {
            _queue = transaction.State;
        }

        _field = typeof(QueueState).GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Single(field => field.FieldType == part);
        _part = _field.GetValue(_queue)!;
        _field.SetValue(_queue, null);
    }

    /// <summary>Whatever uses the queue's ready or delayed messages throws.</summary>
    public static Sabotage Of(EmbeddedMessageStore store, QueueName queue) => new(store.Find(queue)!, typeof(WaitingMessages));

    /// <summary>Whatever counts or records the queue's state throws.</summary>
    public static Sabotage OfCounters(EmbeddedMessageStore store, QueueName queue) => new(store.Find(queue)!, typeof(MutableCounters));

    public void Dispose() => _field.SetValue(_queue, _part);
}
