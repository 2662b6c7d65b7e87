using PushQueue.Queues;

namespace PushQueue.Transports.Operations;

/// <summary>The options with which a lease is settled.</summary>
internal struct LeaseOptions
{
    /// <summary>A worker's error text may be a whole trace; what is kept of it with the message is bounded.</summary>
    private const int ErrorCharsMax = 1000;

    public Receipt Receipt { get; private set; }

    public TimeSpan? TimeToRun { get; private set; }

    public TimeSpan? Delay { get; private set; }

    /// <summary>The wait after a failed attempt where neither the message nor the queue has a retry delay.</summary>
    public RetryDelay? Backoff { get; private set; }

    public string? Error { get; private set; }

    public string? Worker { get; private set; }

    /// <summary>The work was never begun, so that giving it back does not count as a failed attempt.</summary>
    public bool Unstarted { get; private set; }

    /// <summary>Another attempt is pointless.</summary>
    public bool DeadLetter { get; private set; }

    public readonly ReleaseRequest ToRelease() =>
        new(Delay, Error, CountsAsAttempt: !Unstarted, Worker, Backoff: Backoff, DeadLetter: DeadLetter);

    /// <summary>Reads the options.</summary>
    /// <param name="source">The options.</param>
    /// <param name="names">The names that the request takes.</param>
    /// <param name="options">The options that were read.</param>
    public static Problem? Read<T>(ref T source, string names, out LeaseOptions options)
        where T : struct, IOptionSource, allows ref struct
    {
        options = default;
        while (source.Next(out var name, out var value))
        {
            if (!OptionValues.IsOneOf(names, name))
            {
                return OptionValues.Unknown(name, names);
            }

            if (options.Set(name, value) is { } problem)
            {
                return problem;
            }
        }

        return source.Problem ?? options.Check();
    }

    private readonly Problem? Check() =>
        Unstarted && Error is not null
            ? Problem.BadOption(
                "'unstarted' cannot be combined with 'error': work that was not begun has not failed. Leave one of them out.")
        : DeadLetter && (Unstarted || Delay is not null || Backoff is not null)
            ? Problem.BadOption(
                "'deadLetter' cannot be combined with 'unstarted', 'delay' or 'backoff': the message does not come again. Leave them out.")
        : null;

    private Problem? Set(ReadOnlySpan<char> name, string value)
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
            case "backoff":
                problem = OptionValues.RetryDelay("backoff", value, out var backoff);
                Backoff = backoff;
                break;
            case "error":
                Error = value.Length <= ErrorCharsMax ? value : value[..ErrorCharsMax];
                break;
            case "unstarted":
                problem = OptionValues.Flag("unstarted", value, out var unstarted);
                Unstarted = unstarted;
                break;
            case "deadLetter":
                problem = OptionValues.Flag("deadLetter", value, out var deadLetter);
                DeadLetter = deadLetter;
                break;
            default:
                problem = OptionValues.Text("worker", value, out var worker);
                Worker = worker;
                break;
        }

        return problem;
    }
}
