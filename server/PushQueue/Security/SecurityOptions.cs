namespace PushQueue.Security;

/// <summary>Who may use the server from a browser, beside its own pages.</summary>
public sealed class SecurityOptions
{
    /// <summary>Origins whose pages may use this server, as browsers name them: <c>https://app.example</c>; <c>*</c> for every page.</summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>
    /// Names under which a server that listens on loopback only may be addressed, beside localhost and loopback addresses: those of a
    /// proxy in front. <c>*</c> for every name.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>An origin as browsers write it; null where the text is none.</summary>
    internal static string? NormalOrigin(string text) =>
        text == "*" ? text
        : Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0
            && uri.PathAndQuery is "" or "/" && uri is { Fragment: "", UserInfo: "" }
            ? uri.IsDefaultPort ? $"{uri.Scheme}://{uri.IdnHost}" : $"{uri.Scheme}://{uri.IdnHost}:{uri.Port}"
            : null;
}
