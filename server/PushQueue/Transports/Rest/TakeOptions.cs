using Microsoft.AspNetCore.Http;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>The options of a take or a lease, of one or of many.</summary>
internal static class TakeOptions
{
    public const int CountMax = 1000;

    private const string Names = "wait, ttr, worker";

    /// <summary>With <c>ttr</c> it is a lease: then <see cref="TakeRequest.TimeToRun"/> is set.</summary>
    public static Problem? Read(HttpRequest http, bool many, out TakeRequest request)
    {
        request = many ? Many : One;
        var query = new QueryOptions(http);
        while (query.Next(out var name, out var value))
        {
            if (!many && name is "count")
            {
                return Problem.BadOption("Take many with GET /q/{queue}/batch?count=.");
            }

            var problem = Set(name, value, ref request, out var known);
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

    public static Problem? Set(ReadOnlySpan<char> name, string value, ref TakeRequest request, out bool known)
    {
        known = true;
        switch (name)
        {
            case "count":
                var countProblem = OptionValues.Integer("count", value, 1, CountMax, out int count);
                request = request with { Count = count };
                return countProblem;
            case "wait":
                var waitProblem = OptionValues.Duration("wait", value, TimeSpan.Zero, MessageBroker.WaitMax, out var wait);
                request = request with { Wait = wait };
                return waitProblem;
            case "ttr":
                var ttrProblem = OptionValues.TimeToRun(value, out var timeToRun);
                request = request with { TimeToRun = timeToRun };
                return ttrProblem;
            case "worker":
                var workerProblem = OptionValues.Text("worker", value, out var worker);
                request = request with { Worker = worker };
                return workerProblem;
            default:
                known = false;
                return null;
        }
    }

    private static readonly TakeRequest One = new();

    private static readonly TakeRequest Many = new(Count: 100);
}
