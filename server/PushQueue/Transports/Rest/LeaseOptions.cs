using Microsoft.AspNetCore.Http;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>The options with which a lease is settled.</summary>
internal struct LeaseOptions
{
    public Receipt Receipt { get; private set; }

    public TimeSpan? TimeToRun { get; private set; }

    public TimeSpan? Delay { get; private set; }

    public string? Error { get; private set; }

    public string? Worker { get; private set; }

    /// <param name="request">The request.</param>
    /// <param name="allowed">The names that this request takes.</param>
    /// <param name="options">What was read.</param>
    public static Problem? Read(HttpRequest request, string allowed, out LeaseOptions options)
    {
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

        return query.Problem
            ?? (options.Receipt.IsNone ? Problem.BadOption("The option 'receipt' is missing; give the receipt that came with the lease.") : null);
    }

    public readonly ReleaseRequest ToRelease() => new(Delay, Error, Worker: Worker);

    public Problem? Set(ReadOnlySpan<char> name, string value)
    {
        Problem? problem = null;
        switch (name)
        {
            case "receipt":
                problem = OptionValues.Receipt(value, out var receipt);
                Receipt = receipt;
                break;
            case "ttr":
                problem = OptionValues.TimeToRun(value, out var timeToRun);
                TimeToRun = timeToRun;
                break;
            case "delay":
                problem = OptionValues.Duration("delay", value, TimeSpan.Zero, Duration.Longest, out var delay);
                Delay = delay;
                break;
            case "error":
                // A worker's error text may be a whole trace; what is kept of it with the message is bounded.
                Error = value.Length <= ErrorCharsMax ? value : value[..ErrorCharsMax];
                break;
            default:
                problem = OptionValues.Text("worker", value, out var worker);
                Worker = worker;
                break;
        }

        return problem;
    }

    private const int ErrorCharsMax = 1000;

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
