using System.Globalization;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Tests.Delivery;

/// <summary>
/// The promises of delivery as simple code. Under broadcast it lists the lines of each consumer. Under roundrobin the consumer of a
/// message is the policy's choice: the model reads along, and says what must not happen and how much must have been given out.
/// </summary>
internal sealed class StreamModel(bool roundRobin)
{
    private readonly List<string> _ready = [];
    private readonly List<(long Offset, string Body)> _history = [];
    private readonly HashSet<string> _live = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _attempts = new(StringComparer.Ordinal);
    private readonly List<StreamMember> _members = [];
    private int _historyMax = 10_000;
    private string? _fault;

    public bool Stopped { get; set; }

    public long NextOffset { get; private set; } = 1;

    /// <summary>Leased messages by id, as the consumers were told.</summary>
    public Dictionary<string, (StreamMember Member, Receipt Receipt, int SecondsLeft)> Held { get; } = new(StringComparer.Ordinal);

    public bool IsBroken => _fault is not null;

    private long FirstOffset => _history.Count > 0 ? _history[0].Offset : NextOffset;

    public void Fault(string sentence) => _fault ??= sentence;

    public void Put(string[] bodies)
    {
        _ready.AddRange(bodies);
        _live.UnionWith(bodies);
    }

    public void KeepHistory(int messages)
    {
        _historyMax = messages;
        Trim();
    }

    public void Join(StreamMember member, string epoch)
    {
        _members.Add(member);
        if (roundRobin || member.Options.From is not { Kind: not StartKind.Live } from)
        {
            return;
        }

        var known = from.Offset <= NextOffset && (from.Kind == StartKind.Offset || (from.Kind == StartKind.Cursor && from.Epoch == epoch));
        var position = known ? from.Offset : FirstOffset;
        if (!known && from.Kind is StartKind.Cursor or StartKind.Offset)
        {
            member.Expected.Add("gap reset -");
        }

        if (position < FirstOffset)
        {
            member.Expected.Add($"gap expired {position}-{FirstOffset - 1}");
        }

        member.Expected.AddRange(
            _history.Where(message => message.Offset >= position).Select(message => $"{message.Offset} {message.Body}"));
    }

    public void Leave(StreamMember member)
    {
        _members.Remove(member);
        ReadLines(member);
        foreach (var (id, _) in Held.Where(held => held.Value.Member == member).ToList())
        {
            Held.Remove(id);
        }
    }

    public void Ack(string id)
    {
        Held.Remove(id);
        _live.Remove(id);
    }

    public void GiveBack(string id) => Held.Remove(id);

    public bool Cancel(string id)
    {
        _ready.Remove(id);
        Held.Remove(id);
        return _live.Remove(id);
    }

    /// <summary>Leases that end by time end; their messages are ready again.</summary>
    public void Pass(int seconds)
    {
        foreach (var (id, held) in Held.Where(held => held.Value.Member.Options.TimeToRun is not null).ToList())
        {
            Held[id] = held with { SecondsLeft = held.SecondsLeft - seconds };
            if (Held[id].SecondsLeft <= 0)
            {
                Held.Remove(id);
            }
        }
    }

    /// <summary>Under broadcast: everything that waits goes to everybody who is there.</summary>
    public void Deliver()
    {
        if (roundRobin || Stopped || _members.Count == 0)
        {
            return;
        }

        foreach (var body in _ready)
        {
            _members.ForEach(member => member.Expected.Add($"{NextOffset} {body}"));
            _history.Add((NextOffset++, body));
            _live.Remove(body);
        }

        _ready.Clear();
        Trim();
    }

    /// <summary>The differences between the model and the result; null if they agree.</summary>
    public string? Compare(IReadOnlyList<StreamMember> members, QueueInfo info) =>
        roundRobin ? CompareHeld(members, info) : CompareLines(members, info);

    private string? CompareLines(IReadOnlyList<StreamMember> members, QueueInfo info)
    {
        foreach (var member in members)
        {
            var lines = member.Connection.Lines().Select(StreamMember.Text).ToList();
            if (!lines.SequenceEqual(member.Expected))
            {
                return $"{member.Name} got [{string.Join(", ", lines)}] and the model says [{string.Join(", ", member.Expected)}]";
            }
        }

        var position = info.Position;
        return _fault
            ?? (position.FirstOffset == FirstOffset && position.NextOffset == NextOffset && info.Ready == _ready.Count
                ? null
                : $"the store has {info.Ready} ready and history {position.FirstOffset} to {position.NextOffset}; the model "
                    + $"{_ready.Count}, {FirstOffset} to {NextOffset}");
    }

    private string? CompareHeld(IReadOnlyList<StreamMember> members, QueueInfo info)
    {
        foreach (var member in members)
        {
            ReadLines(member);
        }

        if (_fault is not null)
        {
            return _fault;
        }

        if (info.Leased != Held.Count || info.Ready != _live.Count - Held.Count)
        {
            return $"the store has {info.Leased} leased and {info.Ready} ready; the model {Held.Count} and {_live.Count - Held.Count}";
        }

        var hungry = members.FirstOrDefault(member => member.Options.Ack == AckMode.Auto || HeldBy(member) < member.Options.Prefetch);
        return !Stopped && info.Ready > 0 && hungry is not null ? $"{info.Ready} are ready and {hungry.Name} has room" : null;
    }

    private void ReadLines(StreamMember member)
    {
        if (!roundRobin)
        {
            return;
        }

        var lines = member.Connection.Lines();
        for (; member.Read < lines.Count; member.Read++)
        {
            if (!lines[member.Read].TryGetProperty("event", out _))
            {
                OnHandedOut(member, lines[member.Read]);
            }
        }
    }

    private void OnHandedOut(StreamMember member, System.Text.Json.JsonElement line)
    {
        var id = line.GetProperty("id").GetString()!;
        if (!_live.Contains(id) || Held.ContainsKey(id))
        {
            Fault($"{member.Name} got {id}, which {(Held.TryGetValue(id, out var holder) ? $"{holder.Member.Name} holds" : "is gone")}");
            return;
        }

        if (member.Options.Ack == AckMode.Auto)
        {
            _live.Remove(id);
            return;
        }

        var attempt = line.GetProperty("attempt").GetInt32();
        if (attempt < _attempts.GetValueOrDefault(id))
        {
            Fault($"{member.Name} got {id} as attempt {attempt} after attempt {_attempts[id].ToString(CultureInfo.InvariantCulture)}");
        }

        _attempts[id] = attempt;
        _ = Receipt.TryParse(line.GetProperty("receipt").GetString(), out var receipt);
        Held[id] = (member, receipt, (int?)member.Options.TimeToRun?.TotalSeconds ?? int.MaxValue);
        if (HeldBy(member) > member.Options.Prefetch)
        {
            Fault($"{member.Name} holds {HeldBy(member)} messages, more than its prefetch");
        }
    }

    private int HeldBy(StreamMember member) => Held.Values.Count(held => held.Member == member);

    private void Trim() => _history.RemoveRange(0, Math.Max(0, _history.Count - _historyMax));
}
