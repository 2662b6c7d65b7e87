using Microsoft.AspNetCore.Http;

namespace PushQueue.Transports.Rest;

/// <summary>Reads how a lease is settled from a query string.</summary>
internal static class LeaseQuery
{
    /// <param name="request">The request.</param>
    /// <param name="allowed">The names that this request takes.</param>
    /// <param name="options">What was read.</param>
    public static Problem? Read(HttpRequest request, string allowed, out LeaseOptions options) =>
        ReadForMany(request, allowed, out options)
        ?? (options.Receipt.IsNone ? Problem.BadOption("The option 'receipt' is missing; give the receipt that came with the lease.") : null);

    /// <summary>The same where the receipts are in the body.</summary>
    public static Problem? ReadForMany(HttpRequest request, string allowed, out LeaseOptions options)
    {
        if (allowed.Length == 0)
        {
            options = default;
            return QueryOptions.None(request);
        }

        options = default;
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            if (!IsAllowed(allowed, name))
            {
                return OptionValues.Unknown(name, allowed);
            }

            if (options.Set(name, value) is { } problem)
            {
                return problem;
            }
        }

        return query.Problem ?? options.Check();
    }

    private static bool IsAllowed(string allowed, ReadOnlySpan<char> name)
    {
        foreach (var range in allowed.AsSpan().Split(", "))
        {
            if (allowed.AsSpan()[range].SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }
}
