namespace PushQueue.Transports.Operations;

/// <summary>A way to settle leases, with the names of its options.</summary>
internal sealed record Settlement(string Options)
{
    public static readonly Settlement Ack = new("");

    public static readonly Settlement Release = new("delay, backoff, error, worker, unstarted, deadLetter");

    public static readonly Settlement Touch = new("ttr");

    /// <summary>The names of the options where the receipt is one of them.</summary>
    public string OptionsOfOne { get; } = Options.Length == 0 ? "receipt" : "receipt, " + Options;
}
