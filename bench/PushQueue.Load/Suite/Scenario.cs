namespace PushQueue.Load.Suite;

internal enum Figure
{
    PerSecond,
    CpuMicros,
    P99Ms,
    KbPerSubscriber,
    Seconds,
    Megabytes,
    GrowthMegabytes,
    RedisCpuMicros,
    RedisCpuPercent,
    NodeCpuPercent,
    RedisBytes,
    NodeBytes,
    FlushesPerOperation,
}

/// <summary>One run's figures, and what was wrong with it, if anything: a loss is never averaged away.</summary>
internal sealed class Sample : Dictionary<Figure, double>
{
    internal string? Problem { get; init; }
}

/// <summary>One way to run a scenario; those of a scenario take turns.</summary>
/// <param name="Name">As the table names it.</param>
/// <param name="Run">Starts nothing but its own load.</param>
/// <param name="WarmUp">Run once before it counts: .NET compiles its hot paths while they run.</param>
internal sealed record Contender(string Name, Func<Sample> Run, bool WarmUp = false);

/// <summary>The bound of a row: a ratio to the peer's figure if the row has a peer, else an absolute figure.</summary>
internal sealed record Target(double Bound, bool AtLeast)
{
    internal static Target Least(double bound) => new(bound, true);

    internal static Target Most(double bound) => new(bound, false);

    internal bool IsMetBy(double value) => AtLeast ? value >= Bound : value <= Bound;
}

/// <summary>A line of the table: one figure of one contender, and the same figure of another.</summary>
internal sealed record Row(string What, Figure Figure, string Subject, string? Peer = null, Target? Target = null);

internal sealed record Scenario(string Name, IReadOnlyList<Contender> Contenders, IReadOnlyList<Row> Rows, int RunsMax = int.MaxValue);
