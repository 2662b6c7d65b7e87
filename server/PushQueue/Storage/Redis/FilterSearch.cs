using System.Globalization;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// A search for messages that match a filter, over several scripts: each looks at a bounded part of the ready messages
/// (Scripts/Part.Filter.lua), so that no other call waits long for Redis.
/// </summary>
internal sealed class FilterSearch(MessageFilter filter)
{
    /// <summary>A script looks at up to 4 MiB of messages; this bounds what one search copies where messages are large.</summary>
    private const int ScriptsMax = 16;

    private int _scripts;
    private int _looks;

    /// <summary>The filter, as scripts read it.</summary>
    public RedisValue Packed { get; } = filter.Packed();

    /// <summary>
    /// Behind which message the next script goes on; empty for the beginning. Not how many it passes over: others may take some of them
    /// meanwhile, and as many that nobody looked at would be passed over instead.
    /// </summary>
    public RedisValue Place { get; private set; } = RedisValue.EmptyString;

    /// <summary>Null for a selection without a filter.</summary>
    public static FilterSearch? Of(Selection selection) => selection.Filter is { } filter ? new FilterSearch(filter) : null;

    /// <summary>Whether another script may find more.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Takes note of where a script stopped.</summary>
    /// <param name="state">Of its answer: <c>s</c>, how many messages it looked at, and the place; a number where it saw all.</param>
    public void Note(RedisValue state)
    {
        HasMore = false;
        if ((string?)state is not ['s', .. var stopped])
        {
            return;
        }

        var space = stopped.IndexOf(' ', StringComparison.Ordinal);
        _looks += int.Parse(stopped.AsSpan(0, space), CultureInfo.InvariantCulture);
        Place = stopped[(space + 1)..];
        HasMore = _looks < MessageFilter.SearchMax && ++_scripts < ScriptsMax;
    }

    /// <summary>Leases until there are as many as wanted, or the search ends.</summary>
    /// <param name="request">The request.</param>
    /// <param name="lease">Leases a part of it with one script.</param>
    public async ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(
        LeaseRequest request, Func<LeaseRequest, FilterSearch, ValueTask<BrokerResult<IReadOnlyList<Lease>>>> lease)
    {
        var leased = new List<Lease>();
        var room = request.BytesMax;
        do
        {
            var more = await lease(request with { Count = request.Count - leased.Count, BytesMax = room }, this);
            if (!more.Ok)
            {
                // Messages that are leased must be returned.
                return leased.Count > 0 ? leased : more;
            }

            leased.AddRange(more.Value);
            room -= more.Value.Sum(static lease => lease.Message.Body.Length);
        }
        while (leased.Count < request.Count && room > 0 && HasMore);

        return leased;
    }
}
