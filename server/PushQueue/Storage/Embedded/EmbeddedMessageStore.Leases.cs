using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

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

        var answers = found.Ack(keys, out var batch);
        WriteNow(batch);
        return AnswerWhenWrittenAsync(answers, batch);
    }

    public ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request)
    {
        if (Find(queue) is not { } found)
        {
            return new(NotFound(keys.Count));
        }

        var answers = found.Release(keys, request, out var batch);
        return AnswerWhenWrittenAsync(answers, batch);
    }

    public ValueTask<IReadOnlyList<QueueError>> CheckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys) =>
        new(Find(queue)?.Check(keys) ?? NotFound(keys.Count));

    public ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun)
    {
        if (Find(queue) is not { } found)
        {
            return new(NotFound(keys.Count));
        }

        var answers = found.Touch(keys, timeToRun, out var batch);
        return AnswerWhenWrittenAsync(answers, batch);
    }

    public async ValueTask<BrokerResult<int>> RequeueAsync(QueueName queue, DateTimeOffset dueBy, int limit)
    {
        if (Find(queue) is not { } found)
        {
            return 0;
        }

        var requeued = found.Requeue(dueBy, limit, out var batch);
        return await WrittenAsync(batch).ConfigureAwait(false) is { } failure ? failure : requeued;
    }

    public ValueTask<long> CountDueAsync(QueueName queue, DateTimeOffset dueBy) => new(Find(queue)?.CountDue(dueBy) ?? 0);

    private async ValueTask<IReadOnlyList<QueueError>> AnswerWhenWrittenAsync(QueueError[] answers, LogBatch? batch)
    {
        if (await WrittenAsync(batch).ConfigureAwait(false) is { } failure)
        {
            Array.Fill(answers, failure.Error);
        }

        return answers;
    }

    private static QueueError[] NotFound(int count)
    {
        var answers = new QueueError[count];
        Array.Fill(answers, QueueError.NotFound);
        return answers;
    }
}
