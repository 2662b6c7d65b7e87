using Microsoft.AspNetCore.Http;

namespace PushQueue.Transports.OpenApi;

/// <summary>An answer of an operation.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Description">When it is given.</param>
internal sealed record ApiAnswer(int Status, string Description)
{
    /// <summary>204: it is done, and there is nothing to report.</summary>
    public static readonly ApiAnswer Done = new(StatusCodes.Status204NoContent, "Done.");

    /// <summary>The media types; none for an answer without a body.</summary>
    public IReadOnlyList<string> MediaTypes { get; init; } = [];

    /// <summary>The contract of JSON; null for bytes of any form.</summary>
    public Type? Contract { get; init; }

    /// <summary>The values of a body that is not JSON; null where they can be anything.</summary>
    public ApiSchema? Schema { get; init; }

    public IReadOnlyList<ApiParameter> Headers { get; init; } = [];

    /// <summary>An answer with a contract.</summary>
    public static ApiAnswer Json<T>(string description = "OK", int status = StatusCodes.Status200OK) =>
        new(status, description) { MediaTypes = [RestAnswers.JsonType], Contract = typeof(T) };

    /// <summary>An answer with another body.</summary>
    public static ApiAnswer Of(string mediaType, ApiSchema? schema, string description, int status = StatusCodes.Status200OK) =>
        new(status, description) { MediaTypes = [mediaType], Schema = schema };
}
