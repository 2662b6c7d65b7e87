namespace PushQueue.Tests.Architecture;

/// <summary>
/// Folders that use each other, directly or through others: the strongly connected parts of the graph (Tarjan's algorithm).
/// </summary>
internal sealed class FolderCircles
{
    private readonly ILookup<string, string> _uses;
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _lowest = new(StringComparer.Ordinal);
    private readonly Stack<string> _path = new();
    private readonly List<IReadOnlyList<string>> _circles = [];

    private FolderCircles(ILookup<string, string> uses) => _uses = uses;

    /// <summary>Each circle with its folders in the order of their names; the root counts as <c>.</c>.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Find(IEnumerable<(string From, string To)> uses)
    {
        var named = uses.Select(static use => (From: Name(use.From), To: Name(use.To))).ToList();
        var circles = new FolderCircles(named.ToLookup(static use => use.From, static use => use.To, StringComparer.Ordinal));
        foreach (var folder in named.Select(static use => use.From).Distinct().Order(StringComparer.Ordinal))
        {
            if (!circles._numbers.ContainsKey(folder))
            {
                circles.Visit(folder);
            }
        }

        return circles._circles;
    }

    private static string Name(string folder) => folder.Length == 0 ? "." : folder;

    private void Visit(string folder)
    {
        _numbers[folder] = _lowest[folder] = _numbers.Count;
        _path.Push(folder);
        foreach (var used in _uses[folder])
        {
            if (!_numbers.TryGetValue(used, out var number))
            {
                Visit(used);
                _lowest[folder] = Math.Min(_lowest[folder], _lowest[used]);
            }
            else if (_path.Contains(used))
            {
                _lowest[folder] = Math.Min(_lowest[folder], number);
            }
        }

        if (_lowest[folder] != _numbers[folder])
        {
            return;
        }

        var circle = new List<string>();
        while (_path.TryPop(out var member))
        {
            circle.Add(member);
            if (member == folder)
            {
                break;
            }
        }

        if (circle.Count > 1)
        {
            _circles.Add([.. circle.Order(StringComparer.Ordinal)]);
        }
    }
}
