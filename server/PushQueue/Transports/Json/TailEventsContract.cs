namespace PushQueue.Transports.Json;

/// <summary>Messages that passed through a queue while it was watched.</summary>
/// <param name="Missed">How many events were dropped since the last item, because the watcher was slow.</param>
/// <param name="Events">In the order in which they happened.</param>
internal sealed record TailEventsContract(long Missed, IReadOnlyList<TailEventContract> Events);
