namespace PushQueue.Transports.OpenApi;

/// <summary>
/// An operation of the native API as its OpenAPI document describes it. Part of the metadata of the operation's endpoint.
/// </summary>
/// <param name="Id">Its name in generated clients, unique in the document.</param>
/// <param name="Tag">The group that it is listed in: one of <see cref="ApiDocument.Tags"/>.</param>
/// <param name="Summary">Its effect, in a few words.</param>
internal sealed record ApiOperation(string Id, string Tag, string Summary)
{
    public string? Description { get; init; }

    /// <summary>The parameters in query and headers; those in the path follow from the route.</summary>
    public IReadOnlyList<ApiParameter> Parameters { get; init; } = [];

    public ApiBody? Body { get; init; }

    /// <summary>The answers other than problems.</summary>
    public IReadOnlyList<ApiAnswer> Answers { get; init; } = [ApiAnswer.Done];

    /// <summary>The contract of an answer that reports a problem in JSON of its own; null where all problems are problem details.</summary>
    public Type? Error { get; init; }

    /// <summary>Whether it needs no key on a server that has keys.</summary>
    public bool IsPublic { get; init; }

    /// <summary>Appends further parameters.</summary>
    public ApiOperation With(params ApiParameter[] parameters) => this with { Parameters = [.. Parameters, .. parameters] };
}
