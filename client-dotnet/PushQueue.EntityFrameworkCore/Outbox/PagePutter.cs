using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// Puts a page of rows in their order. A put that is refused is halved until the refused rows stand alone: a batch is stored as a whole or
/// not at all, so the others are put in order, and a row that is put twice has a known id the second time.
/// </summary>
internal sealed class PagePutter(IPushQueueProducer producer, LeaseBook leases, OutboxOptions options, TimeProvider time, ILogger logger)
{
    public async Task<PutOutcome> PutAsync(
        DbContext db, string queue, IReadOnlyList<OutboxMessage> rows, CancellationToken cancellationToken)
    {
        var outcome = new PutOutcome();
        var messages = new List<(OutboxMessage Row, PutMessage Message)>(rows.Count);
        foreach (var row in rows)
        {
            try
            {
                messages.Add((row, new PutMessage(row.Body, row.ContentType, StoredOptions.Read(row.Options, row.MessageId))));
            }
            catch (JsonException e)
            {
                outcome.Refused.Add((row, $"The options of the row cannot be read: {e.Message}"));
            }
        }

        await PutAsync(db, queue, messages, outcome, cancellationToken).ConfigureAwait(false);
        return outcome;
    }

    /// <summary>Puts rows or their halves. False where the rest has to wait.</summary>
    private async Task<bool> PutAsync(
        DbContext db, string queue, List<(OutboxMessage Row, PutMessage Message)> messages, PutOutcome outcome,
        CancellationToken cancellationToken)
    {
        if (messages.Count == 0)
        {
            return true;
        }

        string reason;
        try
        {
            await PutAliveAsync(db, queue, messages, cancellationToken).ConfigureAwait(false);
            outcome.Put.AddRange(messages.Select(static message => message.Row.Id));
            return true;
        }
        catch (PushQueueException e) when (PutFailures.Of(e) != PutFailure.Refused)
        {
            outcome.Failure = e;
            return false;
        }
        catch (Exception e) when (e is PushQueueException or ArgumentException)
        {
            reason = (e as PushQueueException)?.Detail ?? e.Message;
        }

        if (messages.Count == 1)
        {
            outcome.Refused.Add((messages[0].Row, reason));
            return true;
        }

        var half = messages.Count / 2;
        return await PutAsync(db, queue, messages[..half], outcome, cancellationToken).ConfigureAwait(false)
            && await PutAsync(db, queue, messages[half..], outcome, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts, and shows meanwhile that this forwarder is alive.</summary>
    private async Task PutAliveAsync(
        DbContext db, string queue, List<(OutboxMessage Row, PutMessage Message)> messages, CancellationToken cancellationToken)
    {
        var put = producer.PutManyAsync(queue, messages.Select(static message => message.Message), cancellationToken);
        while (!put.IsCompleted)
        {
            await ((Task)put).WaitAsync(options.LeaseDuration / 3, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!put.IsCompleted && !cancellationToken.IsCancellationRequested)
            {
                try
                {
                    _ = await leases.BeatAsync(db, queue, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e)
                {
                    // The put is under way. A database that stays away shows when its rows are deleted.
                    OutboxLog.BeatFailed(logger, e, queue);
                }
            }
            else if (!put.IsCompleted)
            {
                // Ends soon by the same token; its rows are put again by the next forwarder.
                break;
            }
        }

        _ = await put.ConfigureAwait(false);
    }
}
