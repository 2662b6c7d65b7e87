namespace PushQueue.Transports.Operations;

/// <summary>The outcome of an operation: its result, or the problem that is the answer instead.</summary>
/// <param name="Value">The result.</param>
/// <param name="Problem">Null where the operation was done.</param>
internal readonly record struct Outcome<T>(T? Value, Problem? Problem)
{
    public static implicit operator Outcome<T>(Problem problem) => new(default, problem);
}
