using System.Runtime.CompilerServices;
using System.Text.Json;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Serves the hub's streams for people who watch: the overview, one queue, the nodes. Each stream sends what changed, at the pace of its
/// reader; a watcher that reads slowly sees less often. Nothing here runs while nobody watches.
/// </summary>
internal sealed class HubWatch(
    QueueBoards boards,
    IMessageBroker broker,
    QueueRates rates,
    NodeEvents events,
    ClusterAnswers cluster,
    WatcherPlaces places,
    QueueTime time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public IAsyncEnumerable<RawJson> WatchQueues(ConnectionCaller caller, JsonElement? options, CancellationToken cancelled)
    {
        // A caller that may see some queues sees those.
        static Problem? WhyNot(Caller now) => now.MaySomewhere(Permissions.Any) ? null : now.WhyNotEverywhere(Permissions.Any);
        _ = Allowed(caller, WhyNot);
        var changes = new OverviewChanges(WatchOptions.Read(options), rates);
        return EachSecondAsync(async () => changes.Next(await boards.LatestAsync(cancelled), Allowed(caller, WhyNot)), cancelled);
    }

    public IAsyncEnumerable<RawJson> WatchQueue(ConnectionCaller caller, string queue, CancellationToken cancelled)
    {
        var name = NameOf(queue);
        _ = Allowed(caller, now => now.WhyNot(Permissions.Any, name));
        var changes = new QueueChanges(name, broker, rates, cluster, time);
        return EachSecondAsync(() => changes.NextAsync(Allowed(caller, now => now.WhyNot(Permissions.Any, name))), cancelled);
    }

    public IAsyncEnumerable<RawJson> WatchNodes(ConnectionCaller caller, CancellationToken cancelled)
    {
        static Problem? WhyNot(Caller now) => now.WhyNotEverywhere(Permissions.Any);
        _ = Allowed(caller, WhyNot);
        var changes = new NodeChanges(events, cluster, time);
        return EachSecondAsync(() => changes.NextAsync(Allowed(caller, WhyNot)), cancelled);
    }

    /// <summary>The caller, by the rules as they are now: a stream that lasts for hours must end when its right does.</summary>
    internal static Caller Allowed(ConnectionCaller caller, Func<Caller, Problem?> whyNot)
    {
        // A connection whose key is gone ends within a second or two; until then it gets nothing more.
        return caller.WhyNot(whyNot, out var now) is { } problem ? throw HubCommands.Failure(problem) : now;
    }

    private async IAsyncEnumerable<RawJson> EachSecondAsync(
        Func<ValueTask<byte[]>> next, [EnumeratorCancellation] CancellationToken cancelled)
    {
        using var place = TakePlace();
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            yield return new RawJson(await next());
        }
        while (await timer.NextTickAsync(cancelled));
    }

    internal static QueueName NameOf(string queue) =>
        QueueName.TryParse(queue, out var name, out var whyNot)
            ? name
            : throw HubCommands.Failure(new Problem(ProblemType.BadQueueName, whyNot));

    private IDisposable TakePlace() => places.TryTake(out var problem) ?? throw HubCommands.Failure(problem!);
}
