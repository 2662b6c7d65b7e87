namespace PushQueue.Queues;

/// <summary>
/// The takes that wait at one queue. Those that take any message stand in line: a wake goes to the first one, and moves on when it leaves.
/// Those with a filter search in turns, one after the other, because a message that one of them passes over may match the next. Guarded by
/// the lock of <see cref="TakeWaiters"/>.
/// </summary>
internal sealed class TakeLine(TimeProvider time)
{
    /// <summary>
    /// A round of searches is followed by a rest nine times as long. Each search holds the lock of the queue, and a long backlog that no
    /// waiter wants must not slow its puts.
    /// </summary>
    private const int RestPerRound = 9;

    /// <summary>A shorter rest is left out: the searches were cheap.</summary>
    private static readonly TimeSpan RestMin = TimeSpan.FromMilliseconds(2);

    private readonly LinkedList<TakeWaiter> _any = new();
    private readonly LinkedList<TakeWaiter> _filtered = new();
    private LinkedListNode<TakeWaiter>? _turn;
    private long _roundBegan;
    private bool _again;
    private bool _rests;

    public bool IsEmpty => _any.Count == 0 && _filtered.Count == 0;

    public IEnumerable<TakeWaiter> All => _any.Concat(_filtered);

    /// <summary>The first of those that take any message; null for none.</summary>
    public TakeWaiter? First => _any.First?.Value;

    /// <summary>Adds a waiter. True where it must try by itself before it waits.</summary>
    public bool Join(TakeWaiter waiter)
    {
        var line = waiter.IsFiltered ? _filtered : _any;
        line.AddLast(waiter.Node);
        return waiter.IsFiltered || line.Count == 1;
    }

    /// <summary>A message may be ready: the waiter that searches first, or null where a round is under way or nobody searches.</summary>
    public TakeWaiter? BeginRound()
    {
        if (_turn is not null || _rests)
        {
            _again = true;
            return null;
        }

        _again = false;
        _roundBegan = time.GetTimestamp();
        _turn = _filtered.First;
        return _turn?.Value;
    }

    /// <summary>Takes a waiter out.</summary>
    /// <param name="waiter">The waiter.</param>
    /// <param name="rest">How long to wait before <see cref="EndRest"/>; zero for no rest.</param>
    /// <returns>The waiter that goes on in its place; null for none.</returns>
    public TakeWaiter? Leave(TakeWaiter waiter, out TimeSpan rest)
    {
        rest = TimeSpan.Zero;
        var hasTurn = _turn == waiter.Node;
        var next = waiter.Node.Next;
        waiter.Node.List!.Remove(waiter.Node);
        if (!waiter.IsFiltered)
        {
            return First;
        }

        return hasTurn ? GiveTurn(next, out rest) : null;
    }

    /// <summary>A waiter has searched in vain; see <see cref="Leave"/>.</summary>
    public TakeWaiter? EndTurn(TakeWaiter waiter, out TimeSpan rest)
    {
        rest = TimeSpan.Zero;
        return _turn == waiter.Node ? GiveTurn(_turn.Next, out rest) : null;
    }

    /// <summary>The rest after a round is over: the waiter that searches first.</summary>
    public TakeWaiter? EndRest()
    {
        _rests = false;
        return BeginRound();
    }

    private TakeWaiter? GiveTurn(LinkedListNode<TakeWaiter>? next, out TimeSpan rest)
    {
        rest = TimeSpan.Zero;
        _turn = next;
        if (next is not null || !_again)
        {
            return next?.Value;
        }

        rest = time.GetElapsedTime(_roundBegan) * RestPerRound;
        if (rest < RestMin)
        {
            rest = TimeSpan.Zero;
            return BeginRound();
        }

        _rests = true;
        return null;
    }
}
