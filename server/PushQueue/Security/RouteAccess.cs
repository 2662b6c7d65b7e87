using Microsoft.AspNetCore.Http;

namespace PushQueue.Security;

/// <summary>Metadata of an endpoint: what its methods ask of who calls them. An endpoint without it serves nobody.</summary>
internal sealed class RouteAccess(params (string? Method, AccessRule Rule)[] rules)
{
    public RouteAccess(AccessRule rule)
        : this((null, rule))
    {
    }

    public IReadOnlyList<(string? Method, AccessRule Rule)> Rules => rules;

    /// <summary>The rule of a method; null for one that the endpoint does not know either, and refuses.</summary>
    public AccessRule? Of(string method)
    {
        foreach (var (known, rule) in rules)
        {
            if (known is null || HttpMethods.Equals(known, method))
            {
                return rule;
            }
        }

        return null;
    }
}
