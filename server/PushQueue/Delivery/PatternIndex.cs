using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// Finds the patterns that match a name. They are kept by the text before their first star, so a name is compared only with the patterns
/// that begin as it does: one look-up for each length of such a text. Its lock is a leaf.
/// </summary>
internal sealed class PatternIndex<T>
    where T : class
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<(string Pattern, T Owner)>> _byPrefix = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, int> _lengths = [];
    private volatile int _count;

    public bool IsEmpty => _count == 0;

    public void Add(string pattern, T owner)
    {
        var prefix = PrefixOf(pattern);
        lock (_gate)
        {
            if (!_byPrefix.TryGetValue(prefix, out var entries))
            {
                _byPrefix[prefix] = entries = [];
                _lengths[prefix.Length] = _lengths.GetValueOrDefault(prefix.Length) + 1;
            }

            entries.Add((pattern, owner));
            _count++;
        }
    }

    public void Remove(string pattern, T owner)
    {
        var prefix = PrefixOf(pattern);
        lock (_gate)
        {
            if (!_byPrefix.TryGetValue(prefix, out var entries) || !entries.Remove((pattern, owner)))
            {
                return;
            }

            _count--;
            if (entries.Count > 0)
            {
                return;
            }

            _ = _byPrefix.Remove(prefix);
            if (--_lengths[prefix.Length] == 0)
            {
                _ = _lengths.Remove(prefix.Length);
            }
        }
    }

    /// <summary>The owners of the patterns that match; one may be there several times.</summary>
    public List<T> Find(string name)
    {
        var found = new List<T>();
        lock (_gate)
        {
            var byPrefix = _byPrefix.GetAlternateLookup<ReadOnlySpan<char>>();
            foreach (var length in _lengths.Keys)
            {
                if (length > name.Length)
                {
                    break;
                }

                if (byPrefix.TryGetValue(name.AsSpan(0, length), out var entries))
                {
                    found.AddRange(entries.Where(entry => NamePattern.Fits(entry.Pattern, name)).Select(static entry => entry.Owner));
                }
            }
        }

        return found;
    }

    /// <summary>All owners, at one moment.</summary>
    public T[] Owners()
    {
        lock (_gate)
        {
            return [.. _byPrefix.Values.SelectMany(static entries => entries).Select(static entry => entry.Owner).Distinct()];
        }
    }

    /// <summary>The text with which every name begins that the pattern matches.</summary>
    public static string PrefixOf(string pattern) =>
        pattern.IndexOf('*', StringComparison.Ordinal) is >= 0 and var star ? pattern[..star] : pattern;
}
