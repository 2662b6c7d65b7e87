namespace PushQueue.Client.Handlers;

/// <summary>A handler of a host.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Options">How it handles.</param>
/// <param name="Pipeline">Makes what handles a message, from the services of the host.</param>
internal sealed record MappedHandler(string Queue, HandlerOptions Options, Func<IServiceProvider, HandlerPipeline> Pipeline)
{
    /// <summary>Whether another handler of this host would get a part of the messages that both are for.</summary>
    public bool Competes(MappedHandler other) => Queue == other.Queue
        && Options.Consume.Where is not { Count: > 0 } && other.Options.Consume.Where is not { Count: > 0 };
}
