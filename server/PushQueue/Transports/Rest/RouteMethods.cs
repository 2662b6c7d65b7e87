namespace PushQueue.Transports.Rest;

/// <summary>
/// The methods that a path of the native API serves; the path itself takes every method, to refuse the others with a problem.
/// </summary>
internal sealed record RouteMethods(IReadOnlyList<string> Methods);
