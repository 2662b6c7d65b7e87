namespace PushQueue.Transports;

/// <summary>The reason why one request failed, for its sender.</summary>
/// <param name="Type">Which of the stable kinds.</param>
/// <param name="Detail">One sentence that says what is wrong and what to do; null for the kind's own advice.</param>
internal sealed record Problem(ProblemType Type, string? Detail = null)
{
    public string Sentence => Detail ?? Type.Advice;

    /// <summary>The first of several findings; all are made, so that what each read is there when none is a problem.</summary>
    public static Problem? First(Problem? first, Problem? second, Problem? third = null) => first ?? second ?? third;

    public static Problem BadOption(string detail) => new(ProblemType.BadOption, detail);

    public static Problem BadJson(string detail) => new(ProblemType.BadJson, detail);

    public static Problem NotFound(string detail) => new(ProblemType.NotFound, detail);
}
