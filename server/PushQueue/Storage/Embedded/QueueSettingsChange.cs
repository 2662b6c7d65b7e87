using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>Changes the settings of a queue.</summary>
internal static class QueueSettingsChange
{
    /// <summary>The settings as they are now; null where the queue was deleted meanwhile.</summary>
    public static Recorded<QueueSettings>? UpdateSettings(this EmbeddedQueue queue, QueueSettingsPatch patch)
    {
        using var transaction = queue.Begin();
        return Update(transaction.State, patch, transaction.Now);
    }

    /// <summary>The same for a caller with a lock: it calls <see cref="EmbeddedQueue.Notify"/> when it has left that.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="patch">The change.</param>
    /// <param name="sources">Queues whose messages are to be copied because of it; recorded together with the change.</param>
    public static Recorded<QueueSettings>? UpdateSettingsSilently(
        this EmbeddedQueue queue, QueueSettingsPatch patch, IReadOnlyList<EmbeddedQueue> sources)
    {
        queue.Enter();
        try
        {
            var now = queue.State.Services.Clock.NowMs();
            queue.State.Advance(now);
            return Update(queue.State, patch, now, sources);
        }
        finally
        {
            queue.Leave();
        }
    }

    private static Recorded<QueueSettings>? Update(
        QueueState state, QueueSettingsPatch patch, long now, IReadOnlyList<EmbeddedQueue>? sources = null)
    {
        state.NoteUse(now);
        if (state.IsDeleted)
        {
            return null;
        }

        if (!state.Meets(patch.Condition))
        {
            return new(state.Settings, null);
        }

        var settings = patch.ApplyTo(state.Settings);
        if (settings != state.Settings)
        {
            state.Settings = settings;
            state.Pushed.OnSettingsChanged(now);
            state.History.KeepLatest(settings.HistoryPerKey);
            state.Keys.Reorder();
            state.History.Trim(settings, now);
            state.NoteDue(Math.Min(state.History.NextEndMs(settings), state.UnusedAtMs));
            state.Events.SettingsChanged();
            if (state.Waiting.Ready.Count > 0)
            {
                state.Events.Ready();
            }
        }

        foreach (var source in sources ?? [])
        {
            _ = (state.Earlier ??= new EarlierCopyings()).GetOrAdd(source.Number);
        }

        return new(settings, state.Record());
    }
}
