using System.Text.Json;
using PushQueue.Security;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>An access file with keys that a test makes and takes away.</summary>
internal sealed class KeyRing : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, AccessKey> _keys = new(StringComparer.Ordinal);

    public KeyRing() => Write();

    public string Path => System.IO.Path.Combine(_directory.Path, "access.json");

    /// <summary>A new key of one grant, in force within a second or two.</summary>
    public string Add(Permissions can, string queues = "*", KeyLimits? limits = null, DateTimeOffset? expires = null)
    {
        var (key, text) = AccessKey.Create("tester");
        _keys[text] =
            key with { Grants = [new AccessGrant([queues], can | Permissions.Stats)], Limits = limits
                ?? new KeyLimits(), Expires = expires };
        Write();
        return text;
    }

    public void Grant(string key, Permissions can, string queues)
    {
        _keys[key] = _keys[key] with { Grants = [new AccessGrant([queues], can)] };
        Write();
    }

    public void Grant(string key, params (Permissions Can, string Queues)[] grants)
    {
        _keys[key] = _keys[key] with { Grants = [.. grants.Select(static grant => new AccessGrant([grant.Queues], grant.Can))] };
        Write();
    }

    public void Remove(string key)
    {
        Assert.True(_keys.Remove(key));
        Write();
    }

    public void WriteText(string text) => WriteBytes(System.Text.Encoding.UTF8.GetBytes(text));

    public void WriteBytes(byte[] bytes)
    {
        // In one step, as careful editors do; else the server might read half of it.
        File.WriteAllBytes(Path + ".new", bytes);
        File.Move(Path + ".new", Path, overwrite: true);
    }

    public void Dispose() => _directory.Dispose();

    public void Write()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("keys");
            foreach (var key in _keys.Values)
            {
                AccessFile.Write(writer, key);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        WriteText(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
    }
}
