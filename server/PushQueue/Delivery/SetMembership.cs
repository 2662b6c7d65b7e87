using System.Text;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// Decides which queues belong to a stream over many. An actor: events are noted, and one loop at a time lets queues join. Its lock is a
/// leaf.
/// </summary>
internal sealed class SetMembership(
    QueueSet set, SetRequest request, Dispatcher dispatcher, IMessageStore store, TimeProvider time, FaultBorder faults)
{
    private const int JoinsAtOnce = 32;
    private const int NamesAtOnce = 1000;

    /// <summary>More queues than this that wait to join are found by a look at all names instead.</summary>
    private const int AppearedMax = 2 * QueueSelection.MatchingMax;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Queue<QueueName> _appeared = new();
    private readonly HashSet<QueueName> _isNew = [];

    /// <summary>Queues whose subscription an operator or a fault has ended. They do not join again unless they are made again.</summary>
    private readonly HashSet<QueueName> _excluded = [];
    private Look _look;
    private bool _isRunning = true;
    private bool _hasEnded;
    private volatile bool _isFull;

    private enum Look
    {
        None,

        /// <summary>Queues that the client may hear now. They join where they are.</summary>
        Live,

        /// <summary>Queues may have been made without notice. They join at their first message.</summary>
        First,
    }

    public IReadOnlyList<string> Patterns => request.Selection.Patterns;

    public bool HasEnded
    {
        get
        {
            lock (_gate)
            {
                return _hasEnded;
            }
        }
    }

    private IConsumerRights Rights => set.Buffer.Connection.Rights;

    private int MatchingCount => set.Count - CountNamed();

    /// <summary>Lets the first queues join. False if more match than may.</summary>
    /// <param name="cursor">Where to resume; null if the options say where to begin.</param>
    public async ValueTask<bool> OpenAsync(SetCursor? cursor)
    {
        set.Left = OnLeft;
        set.RightsChanged = LookForAllowed;
        List<QueueName> queues = [.. request.Selection.Names];
        var matchingMax = Math.Min(QueueSelection.MatchingMax, request.CountRoom() - queues.Count);
        if (matchingMax < 0 || !await FindMatchingAsync(queue => !set.Selection.IsNamed(queue), queues, matchingMax))
        {
            return false;
        }

        foreach (var some in queues.Chunk(JoinsAtOnce))
        {
            await JoinFirstAsync(some, cursor);
        }

        return true;
    }

    /// <summary>The stream is open: queues join from here on as they appear.</summary>
    public void Run()
    {
        lock (_gate)
        {
            _isRunning = false;
        }

        StartIfNeeded();
    }

    public void End()
    {
        lock (_gate)
        {
            _hasEnded = true;
            _appeared.Clear();
            _isNew.Clear();
            _excluded.Clear();
            _look = Look.None;
        }
    }

    /// <summary>A queue was made that one of the patterns matches.</summary>
    public void Appeared(QueueName queue)
    {
        if (!set.Selection.Wants(queue))
        {
            return;
        }

        lock (_gate)
        {
            _ = _excluded.Remove(queue);
            if (_hasEnded || _isNew.Contains(queue))
            {
                return;
            }

            if (_appeared.Count < AppearedMax)
            {
                _ = _isNew.Add(queue);
                _appeared.Enqueue(queue);
            }
            else
            {
                _look = Look.First;
            }
        }

        StartIfNeeded();
    }

    /// <summary>A queue has a message, and may have been made without a notification.</summary>
    public void AppearedWithMessage(QueueName queue)
    {
        if (MayJoin(queue))
        {
            Appeared(queue);
        }
    }

    /// <summary>Queues may have been made without a notification.</summary>
    public void LookForAppeared() => LookFor(Look.First);

    private void LookForAllowed() => LookFor(Look.Live);

    private void LookFor(Look look)
    {
        lock (_gate)
        {
            if (_hasEnded)
            {
                return;
            }

            _look = (Look)Math.Max((int)_look, (int)look);
        }

        StartIfNeeded();
    }

    private void OnLeft(SetMember member, CloseReason reason)
    {
        // Before it leaves the set, so that no look at all names finds it in between.
        if ((reason == CloseReason.Disconnected || reason == CloseReason.ServerError) && set.Find(member.Queue) == member)
        {
            lock (_gate)
            {
                _ = _excluded.Add(member.Queue);
            }
        }

        if (!set.Remove(member))
        {
            return;
        }

        if (_isFull)
        {
            _isFull = false;
            LookFor(Look.Live);
        }

        if (reason == CloseReason.QueueDeleted)
        {
            // A named queue is waited for. Another of the name may exist already: its making may have been reported first.
            Appeared(member.Queue);
        }
    }

    private void StartIfNeeded()
    {
        lock (_gate)
        {
            if (_isRunning || _hasEnded || (_appeared.Count == 0 && _look == Look.None))
            {
                return;
            }

            _isRunning = true;
        }

        _ = RunAsync();
    }

    private async Task RunAsync()
    {
        await Task.Yield();
        while (Next(out var queue, out var look))
        {
            try
            {
                if (look == Look.None)
                {
                    await JoinLaterAsync(queue, fromFirst: true);
                }
                else
                {
                    await JoinFoundAsync(look);
                }

            }
            catch (Exception e)
            {
                // The border of this loop. A queue that could not join is tried again, or its messages would be missed in silence.
                if (e is not StoreUnavailableException)
                {
                    faults.Report(queue == default ? set.Selection.Names.FirstOrDefault() : queue, e);
                }

                Again(queue, look);
                await Task.Delay(RetryInterval, time);
            }
        }
    }

    private bool Next(out QueueName queue, out Look look)
    {
        lock (_gate)
        {
            (queue, look) = (default, Look.None);
            if (_hasEnded)
            {
                return _isRunning = false;
            }

            if (_appeared.TryDequeue(out queue))
            {
                // Now, not when it has joined: it may be deleted and made again until then.
                _ = _isNew.Remove(queue);
                return true;
            }

            (look, _look) = (_look, Look.None);
            return _isRunning = look != Look.None;
        }
    }

    private void Again(QueueName queue, Look look)
    {
        lock (_gate)
        {
            if (look != Look.None)
            {
                _look = (Look)Math.Max((int)_look, (int)look);
            }
            else if (!_hasEnded && _isNew.Add(queue))
            {
                _appeared.Enqueue(queue);
            }
        }
    }

    /// <summary>Reads the names of all queues that a pattern may match. False where more fit than are wanted.</summary>
    private async ValueTask<bool> FindMatchingAsync(Func<QueueName, bool> isWanted, List<QueueName> found, int most)
    {
        var seen = new HashSet<QueueName>();
        foreach (var pattern in Patterns)
        {
            var prefix = PatternIndex<SetMembership>.PrefixOf(pattern);
            var after = prefix.Length == 0 ? null : Before(prefix);
            var isOver = false;
            while (!isOver)
            {
                var names = await store.ListNamesAsync(after, NamesAtOnce);
                foreach (var name in names)
                {
                    // The stores agree on the order of names and prefixes in ASCII only.
                    isOver = Ascii.IsValid(prefix) && string.CompareOrdinal(name, prefix) > 0
                        && !name.StartsWith(prefix, StringComparison.Ordinal);
                    if (isOver)
                    {
                        break;
                    }

                    var queue = QueueName.Parse(name);
                    if (NamePattern.Fits(pattern, name) && set.Selection.Wants(queue) && isWanted(queue) && Rights.MayListen(queue)
                        && seen.Add(queue))
                    {
                        if (seen.Count > most)
                        {
                            return false;
                        }

                        found.Add(queue);
                    }
                }

                isOver |= names.Count < NamesAtOnce;
                after = isOver ? null : names[^1];
            }
        }

        return true;
    }

    /// <summary>A text before all names that begin with a prefix, and behind most others; null for the first name.</summary>
    private static string? Before(string prefix)
    {
        var last = prefix[^1];
        return char.IsAscii(last) ? $"{prefix.AsSpan(0, prefix.Length - 1)}{(char)(last - 1)}\U0010FFFF" : null;
    }

    private async Task JoinFoundAsync(Look look)
    {
        List<QueueName> found = [.. request.Selection.Names.Where(queue => MayJoin(queue) && Rights.MayListen(queue))];
        _ = await FindMatchingAsync(MayJoin, found, QueueSelection.MatchingMax);
        foreach (var queue in found)
        {
            bool isNew;
            lock (_gate)
            {
                isNew = _isNew.Contains(queue);
            }

            await JoinLaterAsync(queue, fromFirst: isNew || look == Look.First);
        }
    }

    /// <summary>Whether a queue that a look at all names finds is not in the stream, and may be.</summary>
    private bool MayJoin(QueueName queue)
    {
        if (set.Find(queue) is not null)
        {
            return false;
        }

        lock (_gate)
        {
            return !_excluded.Contains(queue);
        }
    }

    // A method of its own: a lambda that captures the cursor would share its closure with those that live as long as the stream.
    private Task JoinFirstAsync(QueueName[] queues, SetCursor? cursor) =>
        Task.WhenAll(queues.Select(queue => JoinFirstAsync(queue, cursor)));

    private async Task JoinFirstAsync(QueueName queue, SetCursor? cursor)
    {
        if (!set.Selection.IsNamed(queue) && (IsSubscribedAlone(queue) || !await request.AdmitAsync(queue)))
        {
            return;
        }

        var resumed = cursor is null ? null : await PositionAsync(queue, cursor);
        if (cursor is null && set.Options.From is { Kind: StartKind.Back } back)
        {
            resumed = await BackAsync(queue, back.Offset);
        }

        var from = resumed?.Start ?? (cursor is not null ? SetPosition.First.Start : set.Options.From);
        var isLate = cursor is not null && resumed is null;
        var member = new SetMember(set, queue, isLate ? Cursor.Of((await store.GetQueueAsync(queue))?.Position.Epoch ?? "", 0) : null);
        if (!await JoinAsync(member, from))
        {
            return;
        }

        var joined = member.Consumer!.JoinedAt;
        member.Start = resumed
            ?? (isLate ? SetPosition.First
                : from.Kind == StartKind.Earliest ? SetPosition.Earliest
                : SetPosition.Of(joined.Epoch.Length > 0 ? joined.Epoch : await member.Consumer.Dispatcher!.EpochAsync(), joined.Offset));
    }

    private async Task JoinLaterAsync(QueueName queue, bool fromFirst)
    {
        if (set.Find(queue) is not null || !set.Selection.Wants(queue) || !Rights.MayListen(queue) || IsSubscribedAlone(queue))
        {
            return;
        }

        var isNamed = set.Selection.IsNamed(queue);
        var info = await store.GetQueueAsync(queue);
        if (!isNamed && info is null)
        {
            return;
        }

        if (!isNamed && (MatchingCount >= QueueSelection.MatchingMax || request.CountRoom() <= CountNamedOutside()))
        {
            if (!_isFull)
            {
                _isFull = true;
                _ = set.Buffer.Offer(set.Format.EncodeClose(queue, CloseReason.StreamFull));
            }

            return;
        }

        if (!isNamed && !await request.AdmitAsync(queue))
        {
            return;
        }

        var position = fromFirst || info is null
            ? SetPosition.First
            : SetPosition.Of(info.Position.Epoch, info.Position.NextOffset - 1);
        var announced = Cursor.Of(info?.Position.Epoch ?? "", position.Offset);
        var member = new SetMember(set, queue, announced) { Start = position };
        _ = await JoinAsync(member, position.Start);
    }

    private async Task<bool> JoinAsync(SetMember member, StartPosition from)
    {
        if (!set.TryAdd(member))
        {
            return false;
        }

        try
        {
            member.Consumer = await dispatcher.SubscribeAsync(
                member.Queue, set.Buffer, set.Format, set.Options with { From = from }, member);
        }
        catch
        {
            _ = set.Remove(member);
            throw;
        }

        if (HasEnded)
        {
            // The connection or the subscription ended meanwhile, and did not see this consumer.
            dispatcher.Unsubscribe(member.Consumer);
        }
        else if (!Rights.MayListen(member.Queue))
        {
            // The right was lost after it was asked for, and the check at that change did not see this consumer.
            dispatcher.EndSubscription(member.Consumer, CloseReason.AccessEnded);
        }

        return true;
    }

    /// <summary>
    /// So many messages back, or as far as history reaches. A place with a number, because a client resumes by it before its first message.
    /// </summary>
    private async ValueTask<SetPosition> BackAsync(QueueName queue, long messages)
    {
        return (await store.GetQueueAsync(queue))?.Position is not { } position
            ? SetPosition.First
            : SetPosition.Of(position.Epoch, Math.Max(position.FirstOffset, position.NextOffset - messages) - 1);
    }

    private async ValueTask<SetPosition?> PositionAsync(QueueName queue, SetCursor cursor)
    {
        var positions = cursor.PositionsOf(queue);
        if (positions.Count <= 1)
        {
            return positions.Count == 0 ? null : positions[0];
        }

        // Names with the same hash: each has its own epoch.
        var epoch = (await store.GetQueueAsync(queue))?.Position.Epoch;
        foreach (var position in positions)
        {
            if (position.Epoch == epoch)
            {
                return position;
            }
        }

        return positions[0];
    }

    private bool IsSubscribedAlone(QueueName queue)
    {
        foreach (var consumer in set.Buffer.Consumers)
        {
            if (consumer.Queue == queue && consumer.Member?.Set != set)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Named queues that are not in the stream now; their places are kept.</summary>
    private int CountNamedOutside() => set.Selection.Names.Count - CountNamed();

    private int CountNamed()
    {
        var named = 0;
        foreach (var member in set.Members)
        {
            named += set.Selection.IsNamed(member.Queue) ? 1 : 0;
        }

        return named;
    }
}
