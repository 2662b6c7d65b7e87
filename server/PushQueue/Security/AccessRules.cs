namespace PushQueue.Security;

/// <summary>The access file at one moment.</summary>
internal sealed class AccessRules
{
    private readonly Dictionary<string, Caller> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Caller>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public AccessRules(IEnumerable<Caller> callers)
    {
        foreach (var caller in callers)
        {
            _byId.Add(caller.Key!.Id, caller);
        }

        _lookup = _byId.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public int Count => _byId.Count;

    /// <summary>Null where the file has no such key. Says nothing of whether it has expired.</summary>
    public Caller? Find(ReadOnlySpan<char> key) =>
        _lookup.TryGetValue(AccessKey.IdIn(key), out var caller) && caller.Key!.Is(key) ? caller : null;

    /// <summary>The key of an id; null where the file has none.</summary>
    public Caller? FindById(string id) => _byId.GetValueOrDefault(id);

    /// <summary>The same key in another reading of the file; null where it is gone, or another key has its id.</summary>
    public Caller? Find(AccessKey key) =>
        _byId.TryGetValue(key.Id, out var caller) && caller.Key!.Hash.AsSpan().SequenceEqual(key.Hash) ? caller : null;
}
