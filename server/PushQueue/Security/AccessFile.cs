using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace PushQueue.Security;

#pragma warning disable RS0030 // An operator writes this file, and Read turns what these methods throw into one exception.

/// <summary>
/// Reads and writes the access file: <c>{"keys":[{"id","name","hash","expires","grants":[{"queues":[],"can":[]}],"limits":{}}]}</c>.
/// Strict: a field that nobody knows is a slip of the pen, and what was meant to restrict must not be ignored. See docs/SECURITY.md.
/// </summary>
internal static class AccessFile
{
    private const string HashForm = "sha256";

    private static readonly JsonDocumentOptions Reading = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <exception cref="AccessFileException">Something is wrong; the message says what and where.</exception>
    public static IReadOnlyList<AccessKey> Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Reading);
            var keys = new List<AccessKey>();
            Only(document.RootElement, "the file", "keys");
            foreach (var entry in List(document.RootElement, "keys", "the file"))
            {
                keys.Add(ReadKey(entry, $"key {keys.Count + 1}"));
            }

            return keys.Select(static key => key.Id).Distinct(StringComparer.Ordinal).Count() == keys.Count
                ? keys
                : throw new AccessFileException("two keys have the same id; create another key with key new.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second kind: a text that is not UTF-8. The parser accepts it, and reading it fails.
            throw new AccessFileException($"it is not valid JSON in UTF-8: {e.Message}");
        }
    }

    /// <summary>A key as an entry of the file.</summary>
    public static void Write(Utf8JsonWriter writer, AccessKey key)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, key.Id);
        writer.WriteString("name"u8, key.Name);
        writer.WriteString("hash"u8, $"{HashForm}:{Convert.ToBase64String(key.Salt)}:{Convert.ToBase64String(key.Hash)}");
        if (key.Expires is { } expires)
        {
            writer.WriteString("expires"u8, expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        }

        writer.WriteStartArray("grants"u8);
        foreach (var grant in key.Grants)
        {
            writer.WriteStartObject();
            WriteList(writer, "queues", grant.Patterns);
            WriteList(writer, "can", PermissionWords.Of(bit => Names(grant, bit)));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        WriteLimits(writer, key.Limits);
        writer.WriteEndObject();
    }

    /// <summary>The permission of a word, with the one that it includes; None for an unknown word.</summary>
    public static Permissions Permission(string? word)
    {
        var found = Array.Find(PermissionWords.All, known => known.Word == word).Bit;
        return found == Permissions.None ? found : found | Permissions.Stats;
    }

    /// <summary>Every other permission includes <c>stats</c>, so that word is written only where it stands alone.</summary>
    private static bool Names(AccessGrant grant, Permissions permission) =>
        grant.Can.HasAny(permission) && (permission != Permissions.Stats || grant.Can == Permissions.Stats);

    public static string PermissionList => string.Join(", ", PermissionWords.All.Select(static word => word.Word));

    private static AccessKey ReadKey(JsonElement entry, string where)
    {
        Only(entry, where, "id", "name", "hash", "expires", "grants", "limits");
        var id = Text(entry, "id", where);
        if (!AccessKey.IsId(id))
        {
            throw new AccessFileException($"{where} has the id '{id}'; an id has ten hexadecimal digits, as key new makes them.");
        }

        where = $"key {id}";
        var (salt, hash) = ReadHash(Text(entry, "hash", where), where);
        return new AccessKey(id, entry.TryGetProperty("name", out _) ? Text(entry, "name", where) : id, salt, hash)
        {
            Expires = entry.TryGetProperty("expires", out var expires) ? ReadTime(expires, where) : null,
            Grants = [.. List(entry, "grants", where).Select(grant => ReadGrant(grant, where))],
            Limits = entry.TryGetProperty("limits", out var limits) ? ReadLimits(limits, where) : new KeyLimits(),
        };
    }

    private static AccessGrant ReadGrant(JsonElement grant, string where)
    {
        Only(grant, $"a grant of {where}", "queues", "can");
        var patterns = List(grant, "queues", $"a grant of {where}").Select(pattern => TextOf(pattern, "queues", where)).ToArray();
        var can = Permissions.None;
        foreach (var word in List(grant, "can", $"a grant of {where}"))
        {
            var permission = Permission(TextOf(word, "can", where));
            can |= permission != Permissions.None
                ? permission
                : throw new AccessFileException($"{where} can '{word.GetString()}'; the permissions are {PermissionList}.");
        }

        return new AccessGrant(patterns, can);
    }

    private static KeyLimits ReadLimits(JsonElement limits, string where)
    {
        Only(limits, $"limits of {where}", "messagesPerSecond", "bytesPerSecond", "connections");
        return new KeyLimits(
            Number(limits, "messagesPerSecond", where),
            Number(limits, "bytesPerSecond", where), (int?)Number(limits, "connections", where));
    }

    private static (byte[] Salt, byte[] Hash) ReadHash(string text, string where)
    {
        var parts = text.Split(':');
        var salt = new byte[AccessKey.SaltBytes];
        var hash = new byte[SHA256.HashSizeInBytes];
        return parts is [HashForm, var saltText, var hashText]
            && Convert.TryFromBase64String(saltText, salt, out var saltLength) && saltLength == salt.Length
            && Convert.TryFromBase64String(hashText, hash, out var hashLength) && hashLength == hash.Length
            ? (salt, hash)
            : throw new AccessFileException($"{where} has no hash of the form {HashForm}:SALT:HASH; take the entry as key new prints it.");
    }

    private static DateTimeOffset ReadTime(JsonElement time, string where) =>
        time.ValueKind == JsonValueKind.String && DateTimeOffset.TryParse(
            time.GetString(),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var expires)
            ? expires
            : throw new AccessFileException($"{where} expires at '{time}'; give a time such as 2030-01-31T00:00:00Z.");

    private static double? Number(JsonElement limits, string name, string where)
    {
        if (!limits.TryGetProperty(name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number is > 0 and <= int.MaxValue
            && (name != "connections" || number >= 1)
            ? number
            : throw new AccessFileException(
                $"the limit {name} of {where} is '{value}'; give a number above 0, or leave it out for no limit.");
    }

    private static string Text(JsonElement owner, string name, string where) =>
        owner.TryGetProperty(name, out var value) ? TextOf(value, name, where) : throw new AccessFileException($"{where} has no '{name}'.");

    private static string TextOf(JsonElement value, string name, string where) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= 260 } text
            ? text
            : throw new AccessFileException($"'{name}' of {where} is not a text of 1 to 260 characters.");

    private static JsonElement.ArrayEnumerator List(JsonElement owner, string name, string where) =>
        owner.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray()
            : throw new AccessFileException($"{where} has no list '{name}'.");

    private static void Only(JsonElement owner, string where, params ReadOnlySpan<string> names)
    {
        if (owner.ValueKind != JsonValueKind.Object)
        {
            throw new AccessFileException($"{where} is not a JSON object.");
        }

        foreach (var field in owner.EnumerateObject())
        {
            if (!names.Contains(field.Name))
            {
                throw new AccessFileException(
                    $"{where} has the unknown field '{field.Name}'; the fields are {string.Join(", ", names!)}.");
            }
        }
    }

    private static void WriteLimits(Utf8JsonWriter writer, KeyLimits limits)
    {
        if (limits == new KeyLimits())
        {
            return;
        }

        writer.WriteStartObject("limits"u8);
        Write("messagesPerSecond", limits.MessagesPerSecond);
        Write("bytesPerSecond", limits.BytesPerSecond);
        Write("connections", limits.Connections);
        writer.WriteEndObject();

        void Write(string name, double? value)
        {
            if (value is { } given)
            {
                writer.WriteNumber(name, given);
            }
        }
    }

    private static void WriteList(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }
}
