using System.Buffers;
using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Messages on their way out of a queue: collected under the queue's lock, completed without it. Bodies that memory does not have are read
/// from the log then; until that is done their segments are pinned.
/// </summary>
internal sealed class OutgoingMessages(EmbeddedQueue? queue, QueueClock clock)
{
    /// <summary>The most that one read of the log brings in.</summary>
    private const int ReadBytesMax = 256 * 1024;

    private const int ReadAheadMax = 64;

    private readonly List<Message> _messages = [];
    private List<Lease>? _leases;
    private List<UnreadableMessage>? _unreadable;
    private int _selected;
    private List<MissingBody>? _missing;

    /// <summary>The record of giving out; null where nothing was recorded.</summary>
    public LogBatch? Batch { get; set; }

    public int Count => _messages.Count;

    /// <summary>Complete after <see cref="LoadBodiesAsync"/>.</summary>
    public IReadOnlyList<Message> Messages => _messages;

    public IReadOnlyList<Lease> Leases => _leases ?? [];

    /// <summary>Messages that were left out because their bodies cannot be read; known after <see cref="LoadBodiesAsync"/>.</summary>
    public IReadOnlyList<UnreadableMessage> Unreadable => _unreadable ?? [];

    /// <summary>Whether <see cref="LoadBodiesAsync"/> has something to read.</summary>
    public bool LacksBodies => _missing is not null;

    /// <summary>Whether messages were selected and none of them can be given out: the next ones may be.</summary>
    public bool IsExhausted => _selected > 0 && _messages.Count == 0;

    /// <summary>The offset of the last message, whether its body can be read or not; ask before <see cref="LoadBodiesAsync"/>.</summary>
    public long LastOffset => _messages.Count > 0 ? _messages[^1].Offset : 0;

    public void Add(StoredMessage stored, int attempt, QueueName name)
    {
        var message = ToMessage(stored, attempt, name);
        _messages.Add(message);
        _selected++;
        if (stored.Body is { } body)
        {
            message.Body = body;
        }
        else
        {
            Miss(stored, message);
        }
    }

    public void AddLease(StoredMessage stored, int attempt, QueueName name)
    {
        Add(stored, attempt, name);
        AddReceipt(_messages.Count - 1, stored.Lease!);
    }

    /// <summary>The message with that index was leased.</summary>
    public void AddReceipt(int index, LeaseDetails lease) =>
        (_leases ??= []).Add(new Lease(_messages[index], lease.Receipt, lease.UntilMs == long.MaxValue ? null : FromMs(lease.UntilMs)));

    /// <summary>If the log is read anyway, reads the messages that will be taken next and stand close behind.</summary>
    public void ReadAhead(ReadyMessages ready)
    {
        if (_missing is null)
        {
            return;
        }

        var last = _missing[^1];
        foreach (var stored in ready.InOrder().Take(ReadAheadMax))
        {
            var isClose = stored.RecordOffset >= last.Offset && stored.RecordOffset - last.Offset <= ReadBytesMax;
            if (stored.Body is not null || stored.Segment != last.Segment || !isClose)
            {
                return;
            }

            Miss(stored, message: null);
        }
    }

    /// <summary>Reads the bodies that memory does not have. Reports damaged records and leaves their messages out.</summary>
    public async ValueTask LoadBodiesAsync(StoreDamageLog damage)
    {
        if (_missing is null)
        {
            return;
        }

        try
        {
            for (var from = 0; from < _missing.Count;)
            {
                var to = EndOfRun(from);
                await ReadRunAsync(from, to, damage);
                from = to;
            }
        }
        finally
        {
            foreach (var missing in _missing)
            {
                missing.Segment.Unpin();
            }

            _missing = null;
        }
    }

    private void Miss(StoredMessage stored, Message? message)
    {
        var segment = stored.Segment!;
        segment.Pin();
        (_missing ??= []).Add(new MissingBody(stored, message, segment, stored.RecordOffset, stored.RecordLength, stored.BodyLength));
    }

    /// <summary>Records that stand close together in one segment are read at once.</summary>
    private int EndOfRun(int from)
    {
        var first = _missing![from];
        var to = from + 1;
        while (to < _missing.Count
            && _missing[to].Segment == first.Segment
            && _missing[to].Offset > _missing[to - 1].Offset
            && _missing[to].Offset + _missing[to].Length - first.Offset <= ReadBytesMax)
        {
            to++;
        }

        return to;
    }

    private async ValueTask ReadRunAsync(int from, int to, StoreDamageLog damage)
    {
        var first = _missing![from];
        var last = _missing[to - 1];
        var length = (int)(last.Offset + last.Length - first.Offset);
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var read = await ReadAsync(first, buffer.AsMemory(0, length));
            for (var i = from; i < to; i++)
            {
                var missing = _missing[i];
                var start = (int)(missing.Offset - first.Offset);
                if (start + missing.Length > read
                    || !RecordHeader.ChecksumMatches(buffer.AsSpan(start, missing.Length), missing.Segment.Salt))
                {
                    if (missing.Message is { } lost)
                    {
                        damage.UnreadableMessage(lost.Id, lost.Queue, missing.Segment.Path, missing.Offset);
                        (_unreadable ??= []).Add(new UnreadableMessage(missing.Stored, missing.Segment, missing.Offset));
                        LeaveOut(lost);
                    }

                    continue;
                }

                var body = buffer.AsSpan(start + missing.Length - missing.BodyLength, missing.BodyLength).ToArray();
                if (missing.Message is not null)
                {
                    missing.Message.Body = body;
                }
                else
                {
                    queue!.KeepBody(missing.Stored, body);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// How many bytes could be read; none where the disk refuses. That is damage like any other: those who wait for what can be read must
    /// get it, for it is out of the queue already.
    /// </summary>
    private static async ValueTask<int> ReadAsync(MissingBody first, Memory<byte> buffer)
    {
        try
        {
            return await RandomAccess.ReadAsync(first.Segment.Handle, buffer, first.Offset);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Gives all but this message.</summary>
    public void LeaveOut(Message message)
    {
        _messages.Remove(message);
        if (_leases?.FindIndex(lease => lease.Message == message) is >= 0 and var index)
        {
            _leases.RemoveAt(index);
        }
    }

    private Message ToMessage(StoredMessage stored, int attempt, QueueName name)
    {
        var details = stored.Details;
        return new Message
        {
            Queue = name,
            Id = stored.Id,
            ContentType = stored.ContentType,
            State = StateOf(stored),
            EnqueuedAt = FromMs(stored.EnqueuedAtMs),
            AvailableAt = FromMs(stored.AvailableAtMs),
            ExpiresAt = stored.ExpiresAtMs == 0 ? null : FromMs(stored.ExpiresAtMs),
            Priority = stored.Priority,
            Attempt = attempt,
            Offset = stored.Offset,
            UniqueKey = details?.UniqueKey,
            Key = stored.Key,
            Headers = stored.Headers,
            Looks = details?.Looks ?? 0,
            LeasedUntil = stored.Lease is { UntilMs: not long.MaxValue } lease ? FromMs(lease.UntilMs) : null,
            LastError = details?.LastError,
            LastWorker = stored.Lease?.Worker ?? details?.LastWorker,
            DeadLetter = details?.DeadLetter is { } letter ? letter with { At = FromMs(letter.At.ToUnixTimeMilliseconds()) } : null,
            TraceParent = details?.TraceParent,
        };
    }

    private static MessageState StateOf(StoredMessage stored) => stored.Place switch
    {
        MessagePlace.Delayed => MessageState.Delayed,
        MessagePlace.Leased => MessageState.Leased,
        _ => stored.Details?.DeadLetter is null ? MessageState.Ready : MessageState.Dead,
    };

    private DateTimeOffset FromMs(long milliseconds) => clock.ToWall(milliseconds);

    private readonly record struct MissingBody(
        StoredMessage Stored, Message? Message, Segment Segment, long Offset, int Length, int BodyLength);
}
