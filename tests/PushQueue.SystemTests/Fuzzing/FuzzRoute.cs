namespace PushQueue.SystemTests.Fuzzing;

/// <summary>A route of the server, as its own endpoint table and its OpenAPI document describe it.</summary>
/// <param name="Pattern">The pattern of the path, such as <c>/q/{queue}</c>.</param>
/// <param name="Segments">The segments of the path: literals, and names in braces.</param>
/// <param name="Methods">The methods that the route serves.</param>
/// <param name="Options">The query parameters of each method that OpenAPI knows.</param>
/// <param name="Fields">The fields of the body of each method that OpenAPI knows.</param>
internal sealed record FuzzRoute(
    string Pattern,
    IReadOnlyList<string> Segments,
    IReadOnlyList<string> Methods,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Options,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Fields);
