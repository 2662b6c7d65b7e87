using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// The queues of one stream over many: which consumers belong together, what they share, and the cursor over all of them. The cursor is
/// written in line with the messages by the thread that writes to the connection, so it is always exact for what stands before it.
/// </summary>
internal sealed class QueueSet
{
    /// <summary>Streams over at most this many queues have an id in front of each message, where the form has ids.</summary>
    public const int StampedQueuesMax = 16;

    /// <summary>A cursor is written at the latest when this many times its length was written since the one before.</summary>
    private const int BytesPerCursorByte = 4;

    /// <summary>A stream that is quiet gets its cursor a second later for each so many characters of it.</summary>
    private const int CursorCharsPerSecond = 1500;

    private const int SecondsMax = 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<QueueName, SetMember> _byName = [];
    private SetMember[] _members = [];
    private volatile bool _isOpen;
    private bool _isDirty;
    private int _length;
    private int _bytesSince;
    private int _writtenAt;

    public QueueSet(OutboundBuffer buffer, QueueSelection selection, MessageFormat format, ConsumerOptions options, TimeProvider time)
    {
        Buffer = buffer;
        Selection = selection;
        Format = format;
        Options = options;
        Credit = new SharedCredit(options.PrefetchOrDefault, time);
    }

    /// <summary>An empty page in the place of which the cursor is written. Never written itself.</summary>
    public static EncodedPage Mark { get; } = new(default) { IsUnwritten = true };

    public OutboundBuffer Buffer { get; }

    public QueueSelection Selection { get; }

    public MessageFormat Format { get; }

    public ConsumerOptions Options { get; }

    public SharedCredit Credit { get; }

    /// <summary>Reads of history take turns, so that many queues that are behind do not fill the buffer together.</summary>
    public SemaphoreSlim CatchUpTurns { get; } = new(4);

    /// <summary>Called when a queue has left; set before the first one joins.</summary>
    public Action<SetMember, CloseReason>? Left { get; set; }

    /// <summary>Called when a queue could not be read on, so that only its subscription ends. Set before the first one joins.</summary>
    public Action<Consumer>? Failed { get; set; }

    /// <summary>Called when the rights of the client may have changed.</summary>
    public Action? RightsChanged { get; set; }

    /// <summary>Called when the connection has ended, or the client has unsubscribed.</summary>
    public Action? Ended { get; set; }

    public ReadOnlySpan<SetMember> Members => Volatile.Read(ref _members);

    public int Count => Members.Length;

    /// <summary>Whether each message goes out in a page of its own, with its cursor in front.</summary>
    public bool StampsEach => Format.StampsMessages && Members.Length <= StampedQueuesMax;

    public SetMember? Find(QueueName queue)
    {
        lock (_gate)
        {
            return _byName.GetValueOrDefault(queue);
        }
    }

    /// <summary>False where the queue is in the set.</summary>
    public bool TryAdd(SetMember member)
    {
        lock (_gate)
        {
            if (!_byName.TryAdd(member.Queue, member))
            {
                return false;
            }

            Volatile.Write(ref _members, [.. _members, member]);
            return true;
        }
    }

    /// <summary>False where it was not, or no longer, in the set.</summary>
    public bool Remove(SetMember member)
    {
        lock (_gate)
        {
            if (!_byName.TryGetValue(member.Queue, out var there) || there != member)
            {
                return false;
            }

            _ = _byName.Remove(member.Queue);
            Volatile.Write(ref _members, Array.FindAll(_members, other => other != member));
            return true;
        }
    }

    /// <summary>From here on cursors are written.</summary>
    public void Open() => _isOpen = true;

    /// <summary>Where the stream began. Called before it is opened.</summary>
    public string EncodeStart()
    {
        var cursor = Encode(static member => member.Start);
        _length = cursor.Length;
        return cursor;
    }

    /// <summary>
    /// Adds a page to a write, with cursors before or behind it. Called by the buffer, under its lock, in the order in which pages are
    /// written.
    /// </summary>
    /// <param name="page">The next page.</param>
    /// <param name="consumer">Whose page it is; null for one of the connection.</param>
    /// <param name="isClosingNotice">The page is the closing notice of the connection.</param>
    /// <param name="now">The second of the coarse clock.</param>
    /// <param name="pages">The pages of the write.</param>
    /// <returns>How many bytes were added.</returns>
    public int Add(EncodedPage page, Consumer? consumer, bool isClosingNotice, int now, List<EncodedPage> pages)
    {
        // hot path: every page of a stream over many queues; guarded by bench fanout.
        if (consumer?.Member is not { } member || member.Set != this)
        {
            // The last cursor stands before the closing notice. One before each page of the connection's other subscriptions would cost
            // more than those pages.
            var bytes = _isDirty && (isClosingNotice || page == Mark) ? AddCursor(ofNextMessage: false, now, pages) : 0;
            return page == Mark ? bytes : bytes + AddPage(page, pages);
        }

        if (page.Epoch is null)
        {
            return AddPage(page, pages);
        }

        member.Reach(page);
        _isDirty = true;
        if (page.IsUnwritten)
        {
            return 0;
        }

        if (_isOpen && StampsEach && page.FirstOffset == page.LastOffset)
        {
            return AddCursor(ofNextMessage: true, now, pages) + AddPage(page, pages);
        }

        _bytesSince += page.Length;
        var length = AddPage(page, pages);
        return _bytesSince >= BytesPerCursorByte * _length ? length + AddCursor(ofNextMessage: false, now, pages) : length;
    }

    /// <summary>Once a second: whether the cursor of a quiet stream is due.</summary>
    public bool IsCursorDue(int now) =>
        Volatile.Read(ref _isDirty) && _isOpen && Format.HasPositions
            && now - _writtenAt >= Math.Clamp(_length / CursorCharsPerSecond, 1, SecondsMax);

    private static int AddPage(EncodedPage page, List<EncodedPage> pages)
    {
        pages.Add(page);
        return page.Length;
    }

    private int AddCursor(bool ofNextMessage, int now, List<EncodedPage> pages)
    {
        if (!_isOpen || !Format.HasPositions)
        {
            return 0;
        }

        var cursor = Encode(static member => member.Position);
        _isDirty = false;
        _bytesSince = 0;
        _length = cursor.Length;
        _writtenAt = now;
        return AddPage(Format.EncodeCheckpoint(cursor, ofNextMessage), pages);
    }

    private string Encode(Func<SetMember, SetPosition> positionOf)
    {
        var members = Members;
        var positions = new (int, SetPosition)[members.Length];
        for (var i = 0; i < positions.Length; i++)
        {
            positions[i] = (members[i].Hash, positionOf(members[i]));
        }

        return SetCursor.Encode(Selection.Id, positions);
    }
}
