using System.Runtime.InteropServices;
using System.Threading.Channels;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Copies what the sources of new subscriptions held when these began, in bounded steps, one subscription after the other. Each step is one
/// batch of the log that also says how far it is, so that a crash repeats or misses nothing.
/// </summary>
internal sealed class EarlierCopies(StoreServices services, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly Channel<Work> _waiting = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    private enum Step
    {
        /// <summary>More is to be copied.</summary>
        Again,

        /// <summary>The disk was full.</summary>
        Later,

        /// <summary>All is copied, or nothing is to be copied any more.</summary>
        Done,
    }

    public void Start() => _running = RunAsync();

    /// <summary>The source feeds the queue, which has noted what it copies.</summary>
    public void Add(EmbeddedQueue queue, EmbeddedQueue source) => _ = _waiting.Writer.TryWrite(new Work(queue, source));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (var work in _waiting.Reader.ReadAllAsync(_stopping.Token))
            {
                if (!await services.QueueFaults.TryAsync(work.Queue.Name, work, CopyAllAsync))
                {
                    work.TakeBack();
                    _ = LaterAsync(work);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The store closes; the next start continues.
        }
    }

    private async Task CopyAllAsync(Work work)
    {
        Step step;
        do
        {
            step = await StepAsync(work);
        }
        while (step == Step.Again && !_stopping.IsCancellationRequested);

        if (step == Step.Later)
        {
            _ = LaterAsync(work);
        }
    }

    private async Task LaterAsync(Work work)
    {
        await Task.Delay(RetryInterval, time);
        _ = _waiting.Writer.TryWrite(work);
    }

    private async Task<Step> StepAsync(Work work)
    {
        var (queue, source) = (work.Queue, work.Source);
        if (queue.FindEarlier(source) is not { } copying)
        {
            return Step.Done;
        }

        var messages = work.MessagesOf(copying);
        if (messages.Choose() is not { } outgoing)
        {
            queue.EndEarlier(source);
            return Step.Done;
        }

        await outgoing.LoadBodiesAsync(services.Damage);
        if (messages.WaitFor is { } put)
        {
            _ = await put.Additions;
            return Step.Again;
        }

        var unreadable = outgoing.Unreadable.Select(static each => each.Stored).ToHashSet();
        messages.Chosen.RemoveAll(each => unreadable.Contains(each.Original));
        if (Copy(queue, source, copying, messages) is not { } batch)
        {
            work.Keep();
            return messages.IsLast ? Step.Done : Step.Again;
        }

        services.Log.WriteNow(batch);
        if (await batch.Additions != CommitOutcome.Committed)
        {
            work.TakeBack();
            return Step.Later;
        }

        work.Keep();

        if (messages.IsLast)
        {
            queue.EndEarlier(source);
        }

        return messages.IsLast ? Step.Done : Step.Again;
    }

    /// <summary>Copies the chosen messages and notes how far that is. Null where there was nothing to copy.</summary>
    private static LogBatch? Copy(EmbeddedQueue queue, EmbeddedQueue source, EarlierCopying copying, EarlierMessages messages)
    {
        var inLockOrder = queue.Number < source.Number ? (EmbeddedQueue[])[queue, source] : [source, queue];
        using var transaction = new SharedTransaction(inLockOrder);
        if (source.State.IsDeleted)
        {
            // It went while the bodies were read.
            queue.EndEarlierLocked(source.Number);
            return null;
        }

        if (queue.State.IsDeleted || queue.State.Earlier?.Find(source.Number) != copying)
        {
            return null;
        }

        var wanting = queue.State.Settings.Subscriptions.Entries.Where(entry => entry.FromEarliest && entry.Fits(source.Name)).ToList();
        var copies = new List<StoredMessage>(messages.Chosen.Count);
        foreach (var message in messages.Chosen)
        {
            var isOver = message.Original.ExpiresAtMs > 0 && message.Original.ExpiresAtMs <= transaction.Now;
            if (!isOver && wanting.Exists(entry => entry.Wants(message.Original.Headers))
                && (message.Original.ClientId is null || queue.Admission.FindKnown(message.Original.Id, out _) is null))
            {
                copies.Add(queue.Admission.AdmitEarlier(message, transaction.Now));
            }
        }

        copying.Reach(messages.Offset, messages.Sequence);
        if (copies.Count > 0)
        {
            queue.State.NoteUse(transaction.Now);
            return queue.State.LastPut = queue.State.Journal.PutEarlier(CollectionsMarshal.AsSpan(copies), copying);
        }

        if (messages.IsLast)
        {
            queue.EndEarlierLocked(source.Number);
        }

        return null;
    }

    /// <param name="Queue">The queue that gets the copies.</param>
    /// <param name="Source">The queue that is copied.</param>
    private sealed record Work(EmbeddedQueue Queue, EmbeddedQueue Source)
    {
        private EarlierMessages? _messages;
        private EarlierCopying? _copying;

        // How far the copying is on disk.
        private (long Offset, long Sequence) _kept;

        public EarlierMessages MessagesOf(EarlierCopying copying)
        {
            if (_copying != copying)
            {
                // The subscription was removed and made again.
                _copying = copying;
                _messages = new EarlierMessages(Source, copying);
                Keep();
            }

            return _messages!;
        }

        /// <summary>The last step is on disk, or had nothing to write.</summary>
        public void Keep() => _kept = (_copying!.Offset, _copying.Sequence);

        /// <summary>The last step failed: the next one does the same.</summary>
        public void TakeBack()
        {
            if (_copying is { } copying)
            {
                Queue.TakeBack(copying, _kept);
                _messages!.Repeat();
            }
        }
    }
}
