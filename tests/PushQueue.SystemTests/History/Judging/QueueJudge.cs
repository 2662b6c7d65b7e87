namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// The common part of all promises: nothing comes that was not put, nothing acknowledged is missing, nothing stays in the queue.
/// </summary>
internal abstract class QueueJudge(string queue)
{
    private readonly List<Finding> _findings = [];
    private readonly Dictionary<string, int> _triedAt = new(StringComparer.Ordinal);
    private readonly List<(int At, int Server)> _deaths = [];
    private readonly List<(int Begun, int Over)> _outages = [];
    private readonly Dictionary<int, (int At, int Server)> _connections = [];

    protected HashSet<string> Stored { get; } = new(StringComparer.Ordinal);

    protected HashSet<string> Seen { get; } = new(StringComparer.Ordinal);

    protected FoundLeft? Left { get; private set; }

    public void See(int at, HistoryEvent happened)
    {
        switch (happened)
        {
            case PutTried put:
                _triedAt[put.Key] = at;
                break;
            case PutStored put:
                Stored.Add(put.Key);
                break;
            case Connecting connecting:
                _connections[connecting.Connection] = (at, connecting.Server);
                break;
            case Killed killed:
                _deaths.Add((at, killed.Server));
                break;
            case OutageBegun:
                _outages.Add((at, int.MaxValue));
                break;
            case OutageOver:
                _outages[^1] = (_outages[^1].Begun, at);
                break;
            case FoundLeft left:
                Left = left;
                break;
            case Arrived arrived:
                Seen.Add(arrived.Key);
                if (!_triedAt.ContainsKey(arrived.Key))
                {
                    Find(FindingKind.Unexplained, $"{arrived.Key} came to {arrived.Consumer} and nobody had put it");
                }

                break;
        }

        OnSeen(at, happened);
    }

    public IReadOnlyList<Finding> Findings()
    {
        if (Left is null)
        {
            Find(FindingKind.Unexplained, "the history does not say what was left in the queue");
        }
        else if (Left is not { Ready: 0, Delayed: 0, Leased: 0 })
        {
            Find(FindingKind.Stuck, $"{Left.Ready} ready, {Left.Delayed} delayed and {Left.Leased} leased messages did not come out");
        }

        OnEnd();
        return _findings;
    }

    protected abstract void OnSeen(int at, HistoryEvent happened);

    protected abstract void OnEnd();

    protected void Find(FindingKind kind, string sentence) => _findings.Add(new Finding(kind, queue, sentence));

    /// <summary>When a connection was begun.</summary>
    protected int ConnectedAt(int connection) => _connections.TryGetValue(connection, out var begun) ? begun.At : -1;

    /// <summary>Whether the server of a connection died after that was begun and before now.</summary>
    protected bool DiedSince(int connection, int now) =>
        _connections.TryGetValue(connection, out var begun)
            && _deaths.Exists(death => death.Server == begun.Server && death.At > begun.At && death.At < now);

    /// <summary>Whether there was an outage at any time between the put of a message and now.</summary>
    protected bool OutageSincePut(string key, int now) =>
        _outages.Exists(outage => outage.Begun < now && outage.Over > _triedAt.GetValueOrDefault(key));

    /// <summary>Acknowledged puts that nobody saw.</summary>
    protected IEnumerable<string> NeverSeen() => Stored.Where(key => !Seen.Contains(key));
}
