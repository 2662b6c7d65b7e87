using System.Text;
using System.Text.Unicode;

namespace PushQueue.Transports;

/// <summary>
/// Reads text out of a header. The server gives headers a character per byte, because foreign ones may be in any encoding.
/// </summary>
internal static class HeaderText
{
    /// <summary>The value as UTF-8; as it is where it is not valid UTF-8, and where a host has decoded it already.</summary>
    public static string FromUtf8(string value)
    {
        if (Ascii.IsValid(value) || value.Any(static character => character > byte.MaxValue))
        {
            return value;
        }

        var bytes = Encoding.Latin1.GetBytes(value);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : value;
    }
}
