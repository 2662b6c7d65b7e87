using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports;

/// <summary>The content types of bodies. They are kept as given, so they must be able to go back into a header.</summary>
internal static class ContentTypes
{
    /// <summary>
    /// Goes with every body that is answered as it was put: a page that somebody put must not run scripts with the rights of this server's
    /// own pages. Such a body gets an origin of its own and loads nothing.
    /// </summary>
    public const string BodyPolicy = "sandbox; default-src 'none'";

    public const string Json = "application/json";
    public const string Text = "text/plain";
    public const string Binary = "application/octet-stream";
    public const string Form = "application/x-www-form-urlencoded";

    private const int LengthMax = 255;

    /// <summary>The problem, or null; <paramref name="contentType"/> is one shared string for the usual types.</summary>
    public static Problem? Check(string? given, out string contentType)
    {
        contentType = given switch
        {
            null or "" => Binary,
            Json => Json,
            Text => Text,
            Binary => Binary,
            Form => Form,
            _ => given,
        };
        return CanBeHeader(contentType)
            ? null
            : Problem.BadOption($"A content type may have at most {LengthMax} characters, all of them printable ASCII.");
    }

    public static bool CanBeHeader(string contentType) =>
        contentType.Length <= LengthMax && contentType.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0;

    public static bool IsForm(string contentType) => MediaType(contentType).Equals(Form, StringComparison.OrdinalIgnoreCase);

    public static bool IsJson(string contentType) => BodyKinds.IsJsonType(contentType);

    public static ReadOnlySpan<char> MediaType(string contentType)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? contentType : contentType.AsSpan(0, end)).Trim();
    }
}
