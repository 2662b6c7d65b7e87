namespace PushQueue.Client.Handlers;

/// <summary>Finds impossible options before a handler starts.</summary>
internal static class HandlerOptionsChecks
{
    private const int ConcurrencyMax = 10_000;

    /// <exception cref="ArgumentException">An option has an impossible value.</exception>
    public static HandlerOptions Checked(this HandlerOptions options) =>
        WhyNot(options) is { } reason ? throw new ArgumentException(reason, nameof(options)) : options;

    private static string? WhyNot(HandlerOptions options) => options switch
    {
        { Concurrency: < 1 or > ConcurrencyMax } => Impossible(nameof(options.Concurrency), options.Concurrency, $"1 to {ConcurrencyMax}"),
        { Prefetch: < 1 or > ConcurrencyMax } => Impossible(nameof(options.Prefetch), options.Prefetch, $"1 to {ConcurrencyMax}"),
        { Consume: null } => "Consume is null; leave it out for the defaults.",
        { Timeout: { } limit } when limit <= TimeSpan.Zero && limit != Timeout.InfiniteTimeSpan =>
            Impossible(nameof(options.Timeout), limit, "more than zero"),
        { RetryDelay: { } delay } when delay < TimeSpan.Zero => Impossible(nameof(options.RetryDelay), delay, "zero or more"),
        { DrainTimeout: { } drain } when drain < TimeSpan.Zero && drain != Timeout.InfiniteTimeSpan =>
            Impossible(nameof(options.DrainTimeout), drain, "zero or more"),
        _ => null,
    };

    private static string Impossible(string option, object? given, string possible) => $"{option} is {given}; give {possible}.";
}
