using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>Follows a broadcast from its first offset on and resumes by cursor; a slow one stops reading now and then.</summary>
internal sealed class BroadcastConsumer(
    Scene scene, string name, string queue, Func<Uri, StreamLink> makeLink, string options, Random random, bool slow = false)
    : StreamConsumer(scene, name, queue, makeLink, options, random)
{
    private string _epoch = "";
    private long _last;

    /// <summary>The last offset that it got, as a message or in a gap.</summary>
    public long Last => Volatile.Read(ref _last);

    protected override async ValueTask<string?> OptionsAsync(Uri address)
    {
        if (_last == 0 && !await LearnEpochAsync(address))
        {
            return null;
        }

        // From the first offset rather than from the earliest that is left, which would skip what is gone without a word.
        var from = _last == 0 ? "1" : $"{_epoch}.{_last}";
        return $"from={from}&{Options}";
    }

    protected override async ValueTask OnEventAsync(Uri address, int connection, Received received)
    {
        if (received.Event != "gap")
        {
            return;
        }

        var cause = received.Json.GetProperty("cause").GetString()!;
        if (cause == "reset")
        {
            Scene.Record.Add(new GapTold(Queue, Name, cause, 0, 0, 0));
            (_epoch, _last) = ("", 0);
            while (!Scene.End.IsCancellationRequested && !await LearnEpochAsync(address))
            {
                // The queue is made again by the next put.
                await Scene.PauseAsync(10);
            }

            return;
        }

        var to = received.Json.GetProperty("to").GetInt64();
        Scene.Record.Add(new GapTold(
            Queue, Name, cause, received.Json.GetProperty("from").GetInt64(), to, received.Json.GetProperty("count").GetInt64()));
        Volatile.Write(ref _last, to);
    }

    protected override async ValueTask OnMessageAsync(int connection, Received received, string key)
    {
        if (received.Cursor is { } cursor)
        {
            _epoch = cursor[..cursor.LastIndexOf('.')];
        }

        Scene.Record.Add(new Arrived(Queue, Name, connection, key, received.Attempt, received.Offset, _epoch));
        Volatile.Write(ref _last, received.Offset);
        if (slow && Scene.Producing && Random.Next(200) == 0)
        {
            await Scene.PauseAsync(Random.Next(500, 6000));
        }
    }

    private async Task<bool> LearnEpochAsync(Uri address)
    {
        if (await Scene.GetAsync(address, $"/j/{Queue}") is { } info)
        {
            _epoch = info.GetProperty("epoch").GetString()!;
        }

        return _epoch.Length > 0;
    }
}
