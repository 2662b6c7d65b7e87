namespace PushQueue.Client.Http;

/// <summary>A request that may have to be sent more than once.</summary>
/// <param name="Method">GET, POST …</param>
/// <param name="Path">From the root of the API, with its query.</param>
internal sealed record Call(HttpMethod Method, string Path)
{
    /// <summary>The body; empty for none.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    public string? ContentType { get; init; }

    /// <summary>The headers of the messages that it puts; null for none.</summary>
    public IReadOnlyDictionary<string, string>? MessageHeaders { get; init; }

    /// <summary>Whether it does no harm to send it again when nobody knows whether the server has done it already.</summary>
    public bool Repeatable { get; init; } = true;

    /// <summary>The wait that the server was asked for, in addition to the timeout.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>The only server that will do; null for whichever is in use.</summary>
    public string? Root { get; init; }

    /// <summary>Instead of the client's options, where not null.</summary>
    public RetryOptions? Retry { get; init; }
}
