using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>The options of a take or a lease, of one or of many.</summary>
internal static class TakeOptions
{
    private const int CountMax = 1000;

    /// <summary>With <c>ttr</c> it is a lease: then <see cref="TakeRequest.TimeToRun"/> is set.</summary>
    public static Problem? Set(ReadOnlySpan<char> name, string value, ref TakeRequest request, out bool known)
    {
        known = true;
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
            case "worker":
                var workerProblem = OptionValues.Text("worker", value, out var worker);
                request = request with { Worker = worker };
                return workerProblem;
            default:
                known = false;
                return null;
        }
    }
}
