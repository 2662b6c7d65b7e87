using System.Text;
using Microsoft.AspNetCore.Http;

namespace PushQueue.Security;

/// <summary>Where a request carries its key.</summary>
internal static class Credentials
{
    private const string Bearer = "Bearer ";
    private const string Basic = "Basic ";
    private const string QueryName = "access_token";

    /// <summary>The key as it came, or empty. A header wins over the URL.</summary>
    /// <param name="request">The request.</param>
    /// <param name="inQuery">Whether the URL may carry it.</param>
    public static ReadOnlySpan<char> Read(HttpRequest request, bool inQuery)
    {
        var header = request.Headers.Authorization.ToString().AsSpan().Trim();
        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return header[Bearer.Length..].Trim();
        }

        if (header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            return ReadBasic(header[Basic.Length..].Trim());
        }

        return inQuery && header.IsEmpty ? request.Query[QueryName].ToString() : default;
    }

    /// <summary>
    /// The password; where that is empty the user name, so that <c>curl -u KEY:</c> works, too. The name is the client's own affair.
    /// </summary>
    private static ReadOnlySpan<char> ReadBasic(ReadOnlySpan<char> encoded)
    {
        Span<byte> bytes = stackalloc byte[256];
        if (encoded.Length > 340 || !Convert.TryFromBase64Chars(encoded, bytes, out var length))
        {
            return default;
        }

        var text = Encoding.UTF8.GetString(bytes[..length]).AsSpan();
        var colon = text.IndexOf(':');
        return colon < 0 ? default : colon == text.Length - 1 ? text[..colon] : text[(colon + 1)..];
    }
}
