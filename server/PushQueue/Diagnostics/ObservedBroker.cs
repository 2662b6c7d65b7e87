using System.Runtime.CompilerServices;
using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>
/// The broker as all front doors see it: what it does is counted and, where somebody listens, traced. It decides nothing.
/// </summary>
internal sealed class ObservedBroker(IMessageBroker inner, MessageMeter meter) : IMessageBroker
{
    public int MessageBytesMax => inner.MessageBytesMax;

    public Durability Durability => inner.Durability;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message)
    {
        // hot path: guarded by the load bench.
        using var span = MessageTracing.IsOn ? MessageTracing.StartPut(queue, message) : null;
        var result = await inner.PutAsync(queue, message);
        Count(result);
        if (span is not null)
        {
            MessageTracing.SetOutcome(span, result);
        }

        return result;
    }

    public async ValueTask<BrokerResult<PutOutcome>> PutBackAsync(QueueName queue, NewMessage message, string? worker)
    {
        using var span = MessageTracing.IsOn ? MessageTracing.StartPut(queue, message) : null;
        var result = await inner.PutBackAsync(queue, message, worker);
        Count(result);
        MessageTracing.SetOutcome(span, result);
        return result;
    }

    public async ValueTask<BrokerResult<AwaitedPut>> PutAndWaitAsync(
        QueueName queue, NewMessage message, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var span = MessageTracing.IsOn ? MessageTracing.StartPut(queue, message) : null;
        var result = await inner.PutAndWaitAsync(queue, message, wait, cancellationToken);
        BrokerResult<PutOutcome> put = result.Ok ? result.Value.Put : result.Failure;
        Count(put);
        MessageTracing.SetOutcome(span, put);
        return result;
    }

    public async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        if (MessageTracing.IsOn)
        {
            foreach (var message in messages)
            {
                // One request, one transaction: the spans tell where each message went, not how long each took.
                MessageTracing.StartPut(queue, message)?.Dispose();
            }
        }

        var result = await inner.PutManyAsync(queue, messages);
        if (!result.Ok)
        {
            Refused(result.Error);
            return result;
        }

        var duplicates = result.Value.Count(static outcome => outcome.Duplicate);
        meter.Put.Add(result.Value.Count - duplicates);
        meter.Duplicates.Add(duplicates);
        CountCopies(result.Value.Sum(static outcome => outcome.Copies));
        return result;
    }

    public async ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(
        QueueName queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var result = await inner.TakeAsync(queue, request, cancellationToken);
        if (result.Ok && result.Value.Count > 0)
        {
            meter.Taken.Add(result.Value.Count);
            if (MessageTracing.IsOn)
            {
                foreach (var message in result.Value)
                {
                    MessageTracing.HandedOut(message, "take");
                }
            }
        }

        return result;
    }

    public async ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(
        QueueName queue, TakeRequest request, CancellationToken cancellationToken)
    {
        var result = await inner.LeaseAsync(queue, request, cancellationToken);
        if (result.Ok && result.Value.Count > 0)
        {
            meter.Leased.Add(result.Value.Count);
            if (MessageTracing.IsOn)
            {
                foreach (var lease in result.Value)
                {
                    MessageTracing.HandedOut(lease.Message, "lease", lease.Receipt);
                }
            }
        }

        return result;
    }

    public async ValueTask<IReadOnlyList<QueueError>> AckAsync(QueueName queue, IReadOnlyList<LeaseKey> keys)
    {
        var results = await inner.AckAsync(queue, keys);
        meter.Acked.Add(Settled(results));
        if (MessageTracing.IsOn)
        {
            MessageTracing.Settled(queue, keys, results, "ack");
        }

        return results;
    }

    public async ValueTask<IReadOnlyList<QueueError>> ReleaseAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, ReleaseRequest request)
    {
        var results = await inner.ReleaseAsync(queue, keys, request);
        meter.Released.Add(Settled(results));
        if (MessageTracing.IsOn)
        {
            MessageTracing.Settled(queue, keys, results, "release");
        }

        return results;
    }

    public async ValueTask<IReadOnlyList<QueueError>> TouchAsync(QueueName queue, IReadOnlyList<LeaseKey> keys, TimeSpan timeToRun)
    {
        var results = await inner.TouchAsync(queue, keys, timeToRun);
        _ = Settled(results);
        return results;
    }

    public ValueTask<BrokerResult<int>> EndDueLeasesAsync(QueueName queue, DateTimeOffset dueBy, int limit) =>
        inner.EndDueLeasesAsync(queue, dueBy, limit);

    public ValueTask<long> CountDueAsync(QueueName queue, DateTimeOffset dueBy) => inner.CountDueAsync(queue, dueBy);

    public ValueTask<Message?> LookAsync(QueueName queue) => inner.LookAsync(queue);

    public ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit) =>
        inner.BrowseAsync(queue, state, after, limit);

    public ValueTask<KeyPage> ListKeysAsync(QueueName queue, string? after, int limit) => inner.ListKeysAsync(queue, after, limit);

    public ValueTask<IReadOnlyList<MessageId>> NewestAsync(QueueName queue, int count) => inner.NewestAsync(queue, count);

    public ValueTask<Message?> FindAsync(QueueName queue, MessageId id) => inner.FindAsync(queue, id);

    public ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id) => inner.CancelAsync(queue, id);

    public ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt) =>
        inner.RescheduleAsync(queue, id, availableAt);

    public ValueTask<BrokerResult<ReplayOutcome>> ReplayAsync(
        QueueName deadLetterQueue, ReplayRequest request, CancellationToken cancellationToken) =>
        inner.ReplayAsync(deadLetterQueue, request, cancellationToken);

    public ValueTask<BrokerResult<long?>> PurgeAsync(QueueName queue) => inner.PurgeAsync(queue);

    public ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue) => inner.DeleteQueueAsync(queue);

    public ValueTask<QueueInfo?> GetQueueAsync(QueueName queue) => inner.GetQueueAsync(queue);

    public ValueTask<IReadOnlyList<QueueName>> SubscribersAsync(QueueName queue) => inner.SubscribersAsync(queue);

    public ValueTask<QueuePage> ListQueuesAsync(string? after, int limit) => inner.ListQueuesAsync(after, limit);

    public ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch) =>
        inner.UpdateSettingsAsync(queue, patch);

    private void Count(in BrokerResult<PutOutcome> result)
    {
        if (!result.Ok)
        {
            Refused(result.Error);
        }
        else if (result.Value.Duplicate)
        {
            meter.Duplicates.Add(1);
        }
        else
        {
            meter.Put.Add(1);
            CountCopies(result.Value.Copies);
        }
    }

    private void CountCopies(int copies)
    {
        if (copies > 0)
        {
            meter.Copies.Add(copies);
        }
    }

    private void Refused(QueueError error) => meter.PutsRefused.Add(1, new KeyValuePair<string, object?>("reason", ReasonOf(error)));

    private static string ReasonOf(QueueError error) => error switch
    {
        QueueError.QueueFull => "queue-full",
        QueueError.UniqueKeyTaken => "unique-key-taken",
        QueueError.MessageTooLarge => "message-too-large",
        QueueError.DiskFull => "disk-full",
        QueueError.StoreUnavailable => "store-unavailable",
        QueueError.ShuttingDown => "shutting-down",
        QueueError.TooManyWaiting => "too-many-waiting",
        _ => "other",
    };

    /// <summary>How many went well; those that came too late are counted here.</summary>
    private int Settled(IReadOnlyList<QueueError> results)
    {
        var settled = 0;
        var lost = 0;
        for (var i = 0; i < results.Count; i++)
        {
            settled += results[i] == QueueError.None ? 1 : 0;
            lost += results[i] == QueueError.LeaseLost ? 1 : 0;
        }

        if (lost > 0)
        {
            meter.LeasesLost.Add(lost);
        }

        return settled;
    }
}
