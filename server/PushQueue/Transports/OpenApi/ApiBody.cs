namespace PushQueue.Transports.OpenApi;

/// <summary>The body of a request.</summary>
/// <param name="MediaTypes">The media types that are read.</param>
/// <param name="Contract">The contract of JSON and forms; null for bytes of any form.</param>
internal sealed record ApiBody(IReadOnlyList<string> MediaTypes, Type? Contract)
{
    public string? Description { get; init; }

    public bool Required { get; init; } = true;

    /// <summary>Whether the elements of the list may also be any other JSON.</summary>
    public bool OrAny { get; init; }

    /// <summary>A media type with a line of JSON per element, where the others have a list.</summary>
    public string? Lines { get; init; }

    public static ApiBody Json<T>() => new([RestAnswers.JsonType], typeof(T));
}
