namespace PushQueue.Security;

/// <summary>Who may use the server, and from which pages.</summary>
public sealed class SecurityOptions
{
    /// <summary>The file with the keys and what each may do; it is read again when it changes. Null: everybody may do everything.</summary>
    public string? AccessFile { get; set; }

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
