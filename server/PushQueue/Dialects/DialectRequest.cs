using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Transports;

namespace PushQueue.Dialects;

/// <summary>Where a request finds its dialect, for links that must lead back to it.</summary>
internal static class DialectRequest
{
    /// <summary>The prefix of the dialect's own paths in a link: nothing at its own port, else its prefix.</summary>
    public static string Base(HttpContext context, string name) =>
        context.Features.Get<DialectPort>() is null ? $"{RawPath.PrefixBefore(context, name)}/{name}" : "";

    /// <summary>The dashboard, which only the main port serves. Hosts listen at that one first.</summary>
    public static string Dashboard(HttpContext context)
    {
        var addresses = context.RequestServices.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses;
        return context.Features.Get<DialectPort>() is not null && addresses?.FirstOrDefault() is { } first
            && Uri.TryCreate(first, UriKind.Absolute, out var main)
                ? new UriBuilder(main.Scheme, context.Request.Host.Host is { Length: > 0 } host ? host : main.Host, main.Port)
                    .Uri.AbsoluteUri
                : context.Request.PathBase.ToUriComponent() + "/";
    }
}
