using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

internal static class SortedSetExtensions
{
    /// <summary>The elements from a place on, whether one stands there or not; all for null. Finds it without walking there.</summary>
    public static IEnumerable<StoredMessage> From(this SortedSet<StoredMessage> set, StoredMessage? from)
    {
        if (from is null || set.Count == 0)
        {
            return set;
        }

        var last = set.Max!;
        return set.Comparer.Compare(from, last) > 0 ? [] : set.GetViewBetween(from, last);
    }
}
