using System.Globalization;
using System.Net;

namespace PushQueue.Client.Streaming;

/// <summary>
/// Where a stream is in the order of broadcast, so that it resumes exactly there. A cursor needs the queue's epoch; envelopes have only
/// offsets, so the epoch is asked for: before the stream begins, and again where offsets begin again or the queue did not exist.
/// </summary>
internal sealed class StreamPosition(PushQueueClient client, string queue, string? start)
{
    private const string LatestPerKey = "latest-per-key";

    private static readonly RetryOptions Once = new() { Attempts = 1 };

    private string? _epoch;
    private string? _start = start;
    private long _last;
    private bool _epochHidden;
    private bool _known;

    /// <summary>The start for the server; null for its own choice, which is right where messages are not broadcast.</summary>
    public string? From => (_epoch, _last) switch
    {
        (_, 0) => _start,
        (null, _) => (_last + 1).ToString(CultureInfo.InvariantCulture),
        _ => string.Create(CultureInfo.InvariantCulture, $"{_epoch}.{_last}"),
    };

    /// <summary>Fixes where the stream begins, so that a connection that breaks before its first message misses nothing.</summary>
    public async Task LearnStartAsync(CancellationToken cancellationToken)
    {
        if (_known)
        {
            return;
        }

        var info = await LookAsync(cancellationToken).ConfigureAwait(false);
        _epoch = info?.Epoch is { Length: > 0 } epoch ? epoch : null;
        if (_start is null or "latest")
        {
            // Of a queue that does not exist yet everything is new.
            _start = info is null && !_epochHidden ? "earliest"
                : info?.Policy == "broadcast"
                    && _epoch is not null ? string.Create(CultureInfo.InvariantCulture, $"{_epoch}.{info.NextOffset - 1}")
                : null;
        }

        _known = true;
    }

    /// <summary>False: the epoch has to be learnt before this message may be given to anybody.</summary>
    public bool TryMove(Message message)
    {
        if (message.Offset == 0)
        {
            return true;
        }

        if (_start == LatestPerKey && _last == 0)
        {
            // One that stands before others which have not come yet: nothing resumes behind it.
            return true;
        }

        if (_epoch is null && !_epochHidden)
        {
            return false;
        }

        message.Epoch = _epoch;
        _last = message.Offset;
        return true;
    }

    public async Task LearnEpochAsync(CancellationToken cancellationToken) =>
        _epoch = (await LookAsync(cancellationToken).ConfigureAwait(false))?.Epoch is { Length: > 0 } epoch
            ? epoch
            : _epochHidden ? null : throw new PushQueueException(ProblemTypes.ConnectionLost, $"The queue '{queue}' is gone.");

    /// <summary>The server has passed over what came before, or has given the newest message of each key.</summary>
    public void MoveTo(string cursor)
    {
        var dot = cursor.LastIndexOf('.');
        if (dot > 0 && long.TryParse(cursor.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
        {
            (_epoch, _last) = (cursor[..dot], offset);
            _start = cursor;
        }
    }

    /// <summary>Offsets begin again.</summary>
    public void Reset()
    {
        _epoch = null;
        _last = 0;
        _start = "earliest";
    }

    private async Task<QueueInfo?> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetQueueAsync(queue, Once, cancellationToken).ConfigureAwait(false);
        }
        catch (PushQueueException e) when (e.Status is (int)HttpStatusCode.Forbidden)
        {
            // A key that may consume need not be allowed to look; then offsets alone must do.
            _epochHidden = true;
            return null;
        }
    }
}
