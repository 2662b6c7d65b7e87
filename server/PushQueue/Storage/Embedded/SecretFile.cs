using System.Security.Cryptography;
using System.Text;
using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>The secret of a node in a file of its data folder, which only the server's own user may read.</summary>
internal sealed class SecretFile(string dataDirectory) : ISharedSecret
{
    /// <summary>The name of the file. Not one of the log: a backup holds messages, and must not let its reader sign tokens.</summary>
    public const string Name = "token.key";

    private readonly string _path = Path.Combine(dataDirectory, Name);
    private readonly Lock _gate = new();

    public ValueTask<byte[]> ReadAsync()
    {
        try
        {
            lock (_gate)
            {
                return new ValueTask<byte[]>(ReadOrMakeLocked());
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"The file {Name} of the data folder cannot be used: {e.Message}", e);
        }
    }

    private byte[] ReadOrMakeLocked()
    {
        var secret = new byte[ISharedSecret.Bytes];
        if (File.Exists(_path))
        {
            return Convert.TryFromBase64String(File.ReadAllText(_path).Trim(), secret, out var length) && length == secret.Length
                ? secret
                : throw new IOException($"it does not hold {ISharedSecret.Bytes} bytes in base64; delete it, and all tokens end.");
        }

        RandomNumberGenerator.Fill(secret);

        // Written to a second file that is renamed: a crash never leaves half a secret.
        var draft = _path + ".new";
        File.Delete(draft);
        var form = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            form.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(draft, form))
        {
            file.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(secret)));
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, _path);
        return secret;
    }
}
