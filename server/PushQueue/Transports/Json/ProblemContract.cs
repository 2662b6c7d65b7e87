namespace PushQueue.Transports.Json;

/// <summary>A problem by RFC 9457.</summary>
/// <param name="Type">The kind of problem, which is stable.</param>
/// <param name="Title">The heading of the kind.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">One sentence that says what is wrong and what to do.</param>
internal sealed record ProblemContract(string Type, string Title, int Status, string Detail);
