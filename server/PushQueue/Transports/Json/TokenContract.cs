namespace PushQueue.Transports.Json;

/// <summary>A token that the server made.</summary>
/// <param name="Token">The token, to be sent in the place of the key.</param>
/// <param name="Expires">When it ends.</param>
internal sealed record TokenContract(string Token, DateTimeOffset Expires);
