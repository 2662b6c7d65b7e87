namespace PushQueue.Transports.OpenApi;

/// <summary>A parameter of an operation.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">Its meaning.</param>
/// <param name="Schema">Its values.</param>
internal sealed record ApiParameter(string Name, string Description, ApiSchema Schema)
{
    public bool Required { get; init; }

    /// <summary>Whether it is a request header; else it is in the query.</summary>
    public bool IsHeader { get; init; }
}
