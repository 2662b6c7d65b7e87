using System.Collections.Concurrent;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>The findings of a run, each kind once.</summary>
internal sealed class FuzzFindings
{
    private const int ShownMax = 10;

    private readonly ConcurrentDictionary<string, string> _byKind = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);

    public bool IsEmpty => _byKind.IsEmpty;

    /// <param name="kind">Says what is wrong; findings with the same are counted.</param>
    /// <param name="details">The evidence.</param>
    /// <param name="traces">The last sends, which most likely caused it.</param>
    public void Add(string kind, string details, params ReadOnlySpan<FuzzTrace> traces)
    {
        _ = _counts.AddOrUpdate(kind, 1, (_, count) => count + 1);
        if (_byKind.ContainsKey(kind))
        {
            return;
        }

        var sent = new List<string>();
        foreach (var trace in traces)
        {
            sent.Add(trace.ToString());
        }

        _ = _byKind.TryAdd(kind, $"{kind}\n{details}\nSent before:\n{string.Join("\n--\n", sent)}");
    }

    public override string ToString() => $"{_byKind.Count} kinds of findings.\n"
        + string.Join("\n\n", _byKind.Take(ShownMax).Select(one => $"{_counts[one.Key]} times: {one.Value}"));
}
