using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>One process per folder: holds the folder's lock file while the store is open.</summary>
internal sealed class StoreLock : IDisposable
{
    private const string FileName = "lock";

    private readonly FileStream _file;

    private StoreLock(FileStream file)
    {
        _file = file;
    }

    /// <exception cref="StoreOpenException">The folder is in use, or cannot be written.</exception>
    public static StoreLock Take(string directory)
    {
        var path = Path.Combine(directory, FileName);
        try
        {
            Directory.CreateDirectory(directory);
            return new StoreLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new StoreOpenException(
                $"The data folder {directory} cannot be written; give another with --data, or the permission to write it.", exception);
        }
        catch (IOException exception) when (File.Exists(path) && !IsReadOnly(exception))
        {
            throw new StoreOpenException(
                $"The data folder {directory} is in use by another process; give another folder with --data, or stop that "
                    + "process.", exception);
        }
        catch (IOException exception)
        {
            throw new StoreOpenException($"The data folder {directory} cannot be used: {exception.Message}", exception);
        }
    }

    public void Dispose() => _file.Dispose();

    // EROFS
    private static bool IsReadOnly(IOException exception) => (exception.HResult & 0xFFFF) == 30;
}
