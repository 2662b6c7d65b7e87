using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>Ending, giving back and extending leases; replaying dead letters.</summary>
internal sealed partial class EmbeddedMessageStore
{
    public ValueTask<IReadOnlyList<QueueError>> AckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys)
    {
        if (Find(queue) is not { } found)
        {
            return new(NotFound(keys.Count));
        }

        var acked = found.Ack(keys);
        WriteNow(acked.Batch);
        return AnswerWhenWrittenAsync(acked);
    }

    public ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request)
    {
        if (Find(queue) is not { } found)
        {
            return new(NotFound(keys.Count));
        }

        return AnswerWhenWrittenAsync(found.Release(keys, request));
    }

    public ValueTask<IReadOnlyList<QueueError>> CheckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys) =>
        new(Find(queue)?.Check(keys) ?? NotFound(keys.Count));

    public ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun)
    {
        if (Find(queue) is not { } found)
        {
            return new(NotFound(keys.Count));
        }

        return AnswerWhenWrittenAsync(found.Touch(keys, timeToRun));
    }

    public async ValueTask<BrokerResult<int>> EndDueLeasesAsync(QueueName queue, DateTimeOffset dueBy, int limit)
    {
        if (Find(queue) is not { } found)
        {
            return 0;
        }

        var ended = found.EndDueLeases(dueBy, limit);
        return await WrittenAsync(ended.Batch) is { } failure ? failure : ended.Value;
    }

    public ValueTask<long> CountDueAsync(QueueName queue, DateTimeOffset dueBy) => new(Find(queue)?.CountDue(dueBy) ?? 0);

    private async ValueTask<IReadOnlyList<QueueError>> AnswerWhenWrittenAsync(Recorded<QueueError[]> answers)
    {
        if (await WrittenAsync(answers.Batch) is { } failure)
        {
            Array.Fill(answers.Value, failure.Error);
        }

        return answers.Value;
    }

    private static QueueError[] NotFound(int count)
    {
        var answers = new QueueError[count];
        Array.Fill(answers, QueueError.NotFound);
        return answers;
    }
}
