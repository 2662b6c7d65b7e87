namespace PushQueue.Transports.OpenApi;

/// <summary>Metadata of an endpoint: its operations by HTTP method.</summary>
/// <param name="ByMethod">The operations.</param>
internal sealed record ApiOperations(IReadOnlyDictionary<string, ApiOperation> ByMethod);
