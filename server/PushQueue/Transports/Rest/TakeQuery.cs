using Microsoft.AspNetCore.Http;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>Reads what to take from a query string.</summary>
internal static class TakeQuery
{
    private const string Names = "wait, ttr, worker";

    private static readonly TakeRequest One = new();

    private static readonly TakeRequest Many = new(Count: 100);

    public static Problem? Read(HttpContext context, bool many, out TakeRequest request)
    {
        request = (many ? Many : One) with { Pending = new HttpPendingTake(context) };
        var query = new QueryOptions(context.Request);
        while (query.Next(out var name, out var value))
        {
            if (!many && name is "count")
            {
                return Problem.BadOption("Take many with GET /q/{queue}/batch?count=.");
            }

            var problem = TakeOptions.Set(name, value, ref request, out var known);
            if (!known)
            {
                return OptionValues.Unknown(name, many ? "count, " + Names : Names);
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        return query.Problem;
    }
}
