namespace PushQueue.Queues;

/// <summary>Replay of dead letters that are chosen, or at a rate: a walk over the dead-letter queue, a page at a time.</summary>
internal sealed partial class MessageBroker
{
    private const int ReplayPage = 100;

    /// <summary>At a rate, as many steps a second.</summary>
    private const int ReplayStepsPerSecond = 10;

    public async ValueTask<BrokerResult<ReplayOutcome>> ReplayAsync(
        QueueName deadLetterQueue, ReplayRequest request, CancellationToken cancellationToken)
    {
        if (request.IsPlain || request.Id is not null)
        {
            var moved = await store.ReplayAsync(deadLetterQueue, request.Id, request.Count);
            return moved.Ok ? new ReplayOutcome(moved.Value, More: false) : moved.Failure;
        }

        var started = time.GetTimestamp();
        var replayed = 0;
        string? after = null;
        do
        {
            var page = await store.BrowseAsync(deadLetterQueue, MessageState.Dead, after, ReplayPage);
            if (!page.Ok)
            {
                return page.Failure;
            }

            foreach (var step in Chosen(page.Value.Messages, request).Take(request.Count - replayed).Chunk(StepOf(request)))
            {
                if (_draining || time.GetElapsedTime(started) > WaitMax)
                {
                    return new ReplayOutcome(replayed, More: true);
                }

                // Each waits for the disk; together they wait once.
                var moves = await Task.WhenAll(step.Select(message => store.ReplayAsync(deadLetterQueue, message.Id, 1).AsTask()));
                replayed += moves.Count(move => move is { Ok: true, Value: > 0 });
                if (request.PerSecond is { } rate && Ahead(started, replayed, rate) is { } ahead)
                {
                    await Task.Delay(ahead, time, cancellationToken);
                }
            }

            cancellationToken.ThrowIfCancellationRequested();
            after = page.Value.Next;
        }
        while (after is not null && replayed < request.Count);

        return new ReplayOutcome(replayed, More: false);
    }

    private static IEnumerable<Message> Chosen(IEnumerable<Message> messages, ReplayRequest request) => messages.Where(message =>
        message.DeadLetter is { } letter
        && (request.Reason is not { } reason || letter.Reason == reason || message.LastError == reason)
        && (request.Before is not { } before || letter.At < before));

    private static int StepOf(ReplayRequest request) =>
        Math.Clamp((request.PerSecond ?? int.MaxValue) / ReplayStepsPerSecond, 1, ReplayPage);

    /// <summary>How long to wait so that the rate is kept; null where it is.</summary>
    private TimeSpan? Ahead(long started, int replayed, int perSecond)
    {
        var ahead = TimeSpan.FromSeconds((double)replayed / perSecond) - time.GetElapsedTime(started);
        return ahead > TimeSpan.Zero ? ahead : null;
    }
}
