using System.Runtime.CompilerServices;
using PushQueue.Queues;
using PushQueue.Transports.Json;
using PushQueue.Transports.Watching;

namespace PushQueue.Transports.SignalR;

/// <summary>Serves the hub's streams of presence.</summary>
internal sealed class HubPresence(PresenceWatch presence, WatcherPlaces places)
{
    public IAsyncEnumerable<RawJson> Watch(ConnectionCaller caller, string queue, CancellationToken cancelled)
    {
        var name = HubWatch.NameOf(queue);
        Check(caller, name);
        return WatchAsync(caller, name, cancelled);
    }

    private static void Check(ConnectionCaller caller, QueueName queue)
    {
        if (PresenceEndpoints.WhyNot(caller, queue) is { } problem)
        {
            throw HubCommands.Failure(problem);
        }
    }

    private async IAsyncEnumerable<RawJson> WatchAsync(
        ConnectionCaller caller, QueueName queue, [EnumeratorCancellation] CancellationToken cancelled)
    {
        using var place = places.TryTake(out var problem) ?? throw HubCommands.Failure(problem!);
        await foreach (var happened in presence.WatchAsync(queue, cancelled))
        {
            Check(caller, queue);
            yield return new RawJson(happened.Json);
        }
    }
}
