namespace PushQueue.Transports.Json;

/// <summary>The body of a request for a token.</summary>
internal sealed record TokenRequestContract
{
    /// <summary>The rights of the token; without them it has all of the key's.</summary>
    public IReadOnlyList<TokenGrantContract>? Grants { get; init; }

    /// <summary>How long it lasts; it never outlives what it was made with.</summary>
    [DurationText]
    public string? Expires { get; init; }

    /// <summary>Whether the answer also sets it as a cookie.</summary>
    public bool? Cookie { get; init; }
}

/// <summary>Permissions on queues.</summary>
internal sealed record TokenGrantContract
{
    /// <summary>Names, or patterns with *.</summary>
    public required IReadOnlyList<string> Queues { get; init; }

    /// <summary>Words such as put and listen.</summary>
    public required IReadOnlyList<string> Can { get; init; }
}
