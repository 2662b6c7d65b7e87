using System.Reflection;
using PushQueue.Queues;

namespace PushQueue.Tests.Support;

/// <summary>
/// A store or broker that passes everything on to another one, except what concerns one queue while that queue is broken: that throws.
/// </summary>
public class FaultyQueue : DispatchProxy
{
    private object _target = null!;
    private string _queue = "";
    private string[] _methods = [];
    private volatile bool _broken = true;

    /// <param name="target">Serves the other queues, and this one after <see cref="Mend"/>.</param>
    /// <param name="queue">The broken queue.</param>
    /// <param name="methods">The operations that throw.</param>
    internal static T Over<T>(T target, QueueName queue, params string[] methods)
        where T : class
    {
        var proxy = Create<T, FaultyQueue>();
        var faulty = (FaultyQueue)(object)proxy;
        (faulty._target, faulty._queue, faulty._methods) = (target, queue.Value, methods);
        return proxy;
    }

    internal static void Mend(object proxy) => ((FaultyQueue)proxy)._broken = false;

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (_broken && args is [QueueName queue, ..] && queue.Value == _queue && _methods.Contains(targetMethod!.Name))
        {
            throw new InvalidOperationException("This queue is broken.");
        }

        return targetMethod!.Invoke(_target, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
