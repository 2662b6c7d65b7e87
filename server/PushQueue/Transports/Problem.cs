namespace PushQueue.Transports;

/// <summary>What went wrong with one request, for its sender.</summary>
/// <param name="Type">Which of the stable kinds.</param>
/// <param name="Detail">What exactly and what to do; null for the kind's own advice.</param>
internal sealed record Problem(ProblemType Type, string? Detail = null)
{
    public string Sentence => Detail ?? Type.Advice;

    public static Problem BadOption(string detail) => new(ProblemType.BadOption, detail);

    public static Problem BadJson(string detail) => new(ProblemType.BadJson, detail);

    public static Problem NotFound(string detail) => new(ProblemType.NotFound, detail);
}
