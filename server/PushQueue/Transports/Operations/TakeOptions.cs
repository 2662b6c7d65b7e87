using PushQueue.Queues;

namespace PushQueue.Transports.Operations;

/// <summary>The options of a take or a lease, of one or of many.</summary>
internal static class TakeOptions
{
    private const int CountMax = 1000;

    /// <summary>Reads what to take. With <c>ttr</c> a take of REST is a lease: then <see cref="TakeRequest.TimeToRun"/> is set.</summary>
    /// <param name="source">The options.</param>
    /// <param name="names">The names that the request takes.</param>
    /// <param name="request">The defaults, and then what was read.</param>
    public static Problem? Read<T>(ref T source, string names, ref TakeRequest request)
        where T : struct, IOptionSource, allows ref struct
    {
        while (source.Next(out var name, out var value))
        {
            if (!OptionValues.IsOneOf(names, name))
            {
                return name is "count"
                    ? Problem.BadOption("Take many with GET /q/{queue}/batch?count=.")
                    : OptionValues.Unknown(name, names);
            }

            if (Set(name, value, ref request) is { } problem)
            {
                return problem;
            }
        }

        return source.Problem;
    }

    /// <summary>The option comes once per condition.</summary>
    private static Problem? AddCondition(string condition, ref TakeRequest request)
    {
        if (!MessageFilter.TryParse([.. request.Selection.Filter?.Conditions ?? [], condition], out var filter, out var whyNot))
        {
            return Problem.BadOption(whyNot);
        }

        request = request with { Selection = Selection.Where(filter) };
        return null;
    }

    private static Problem? Set(ReadOnlySpan<char> name, string value, ref TakeRequest request)
    {
        switch (name)
        {
            case "count":
                var countProblem = OptionValues.Integer("count", value, 1, CountMax, out var count);
                request = request with { Count = count };
                return countProblem;
            case "wait":
                var waitProblem = OptionValues.Duration("wait", value, TimeSpan.Zero, MessageBroker.WaitMax, out var wait);
                request = request with { Wait = wait };
                return waitProblem;
            case "ttr":
                var ttrProblem = OptionValues.TimeToRun(value, out var timeToRun);
                request = request with { TimeToRun = timeToRun, NewQueuePolicy = DeliveryPolicy.RoundRobin };
                return ttrProblem;
            case "where":
                return AddCondition(value, ref request);
            default:
                var workerProblem = OptionValues.Text("worker", value, out var worker);
                request = request with { Worker = worker };
                return workerProblem;
        }
    }
}
