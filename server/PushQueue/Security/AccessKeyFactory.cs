using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>Makes keys for the access file. The host's command line calls it; nothing here is kept.</summary>
public static class AccessKeyFactory
{
    /// <summary>The words for what a key may do.</summary>
    public static string PermissionWords => AccessFile.PermissionList;

    /// <summary>Makes a random key and the entry that lets it in. Returns null, or a sentence that says what is wrong.</summary>
    /// <param name="name">For people; null for the key's id.</param>
    /// <param name="queues">Names or patterns of queues; none for all.</param>
    /// <param name="can">Words of <see cref="PermissionWords"/>, one at least.</param>
    /// <param name="expires">A time, a duration from now, or null for never.</param>
    /// <param name="time">The clock.</param>
    /// <param name="key">The key, for its user.</param>
    /// <param name="entry">The entry for the file, as JSON.</param>
    public static string? Create(
        string? name, IReadOnlyCollection<string> queues, IReadOnlyCollection<string> can, string? expires, TimeProvider time,
        out string key, out string entry)
    {
        (key, entry) = ("", "");
        var permissions = Permissions.None;
        foreach (var word in can)
        {
            if (AccessFile.Permission(word) is not (var known and not Permissions.None))
            {
                return $"--can '{word}': the permissions are {PermissionWords}.";
            }

            permissions |= known;
        }

        if (permissions == Permissions.None)
        {
            return $"--can is missing; the permissions are {PermissionWords}.";
        }

        if (!TryTime(expires, time, out var end))
        {
            return $"--expires '{expires}': give a time such as 2030-01-31T00:00:00Z, or a duration such as 90d.";
        }

        (var made, key) = AccessKey.Create(name ?? "");
        made = made with
        {
            Name = string.IsNullOrEmpty(name) ? made.Id : name,
            Expires = end,
            Grants = [new AccessGrant(queues.Count == 0 ? [AccessGrant.Everything] : [.. queues], permissions)],
        };
        entry = Entry(made);
        return null;
    }

    private static string Entry(AccessKey key)
    {
        using var stream = new MemoryStream();
        var form = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(stream, form))
        {
            AccessFile.Write(writer, key);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static bool TryTime(string? text, TimeProvider time, out DateTimeOffset? end)
    {
        end = null;
        if (text is null)
        {
            return true;
        }

        if (Duration.TryParse(text, out var duration) && duration > TimeSpan.Zero)
        {
            end = time.GetUtcNow() + duration;
            return true;
        }

        var isTime = DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at);
        end = isTime ? at : null;
        return isTime;
    }
}
