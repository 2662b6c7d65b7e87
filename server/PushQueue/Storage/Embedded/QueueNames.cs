namespace PushQueue.Storage.Embedded;

/// <summary>
/// The names of all queues in their order, for pages. Kept sorted as queues come and go: sorting for each page made a walk over all pages
/// cost the square of the number of queues.
/// </summary>
internal sealed class QueueNames
{
    private readonly Lock _gate = new();
    private readonly SortedSet<string> _names = new(StringComparer.Ordinal);

    public void Add(string name)
    {
        lock (_gate)
        {
            _names.Add(name);
        }
    }

    public void Remove(string name)
    {
        lock (_gate)
        {
            _names.Remove(name);
        }
    }

    /// <param name="after">The name that the page comes behind, whether there is such a queue or not; null for the first page.</param>
    /// <param name="limit">The length of the page.</param>
    /// <param name="total">How many names there are.</param>
    public List<string> Page(string? after, int limit, out int total)
    {
        lock (_gate)
        {
            total = _names.Count;
            if (total == 0 || limit <= 0 || (after is not null && string.CompareOrdinal(after, _names.Max) >= 0))
            {
                return [];
            }

            // The view costs the depth of the tree and the enumeration the length of the page.
            IEnumerable<string> rest = after is null ? _names : _names.GetViewBetween(after, _names.Max);
            return [.. rest.SkipWhile(name => name == after).Take(limit)];
        }
    }
}
