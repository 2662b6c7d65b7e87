namespace PushQueue.Security;

/// <summary>The caller to whom a key or token belongs, or why nobody is admitted.</summary>
/// <param name="Caller">Null if the text admits nobody.</param>
/// <param name="WhyNot">A sentence; empty with a caller. It never holds the text.</param>
internal readonly record struct FoundCaller(Caller? Caller, string WhyNot)
{
    public static FoundCaller Of(Caller caller) => new(caller, "");

    public static FoundCaller None(string whyNot) => new(null, whyNot);
}
