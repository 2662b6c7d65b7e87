using Microsoft.AspNetCore.Authentication;
using PushQueue.Transports;

namespace PushQueue;

/// <summary>Makes the queue's keys a scheme of the application's authentication.</summary>
public static class PushQueueAuthenticationExtensions
{
    /// <summary>The name of the scheme.</summary>
    public const string KeyScheme = "PushQueueKey";

    /// <summary>
    /// Adds the scheme by which requests are authenticated with a key of the access file: Bearer, HTTP Basic, or <c>access_token</c> in the
    /// URL of a stream.
    /// </summary>
    public static AuthenticationBuilder AddPushQueueKeys(this AuthenticationBuilder authentication)
    {
        ArgumentNullException.ThrowIfNull(authentication);
        return authentication.AddScheme<AuthenticationSchemeOptions, PushQueueKeyHandler>(KeyScheme, configureOptions: null);
    }
}
