using System.Reflection;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;

namespace PushQueue.Tests.Support;

/// <summary>A fault inside one queue of an embedded store, until it is disposed: a part of the queue is missing, so that what uses it throws.</summary>
internal sealed class Sabotage : IDisposable
{
    private readonly EmbeddedQueue _queue;
    private readonly FieldInfo _field;
    private readonly object _part;

    private Sabotage(EmbeddedQueue queue, Type part)
    {
        _queue = queue;
        _field = typeof(EmbeddedQueue).GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Single(field => field.FieldType == part);
        _part = _field.GetValue(queue)!;
        _field.SetValue(queue, null);
    }

    /// <summary>Whatever uses the queue's ready messages throws.</summary>
    public static Sabotage Of(EmbeddedMessageStore store, QueueName queue) => new(store.Find(queue)!, typeof(ReadyMessages));

    /// <summary>Whatever counts or records the queue's state throws.</summary>
    public static Sabotage OfCounters(EmbeddedMessageStore store, QueueName queue) => new(store.Find(queue)!, typeof(MutableCounters));

    public void Dispose() => _field.SetValue(_queue, _part);
}
