using System.Security.Cryptography;

namespace PushQueue.Storage.Log;

/// <summary>
/// A file of random bytes (zeros would be nothing on a disk that compresses) that holds room on the disk. When the disk is full it is
/// deleted, so that the records of messages being taken still
/// find room; when it can be made again, the disk has room again.
/// </summary>
internal sealed class DiskReserve
{
    private const string FileName = "reserve";

    private readonly string _path;
    private readonly int _bytes;

    public DiskReserve(string directory, int bytes)
    {
        _path = Path.Combine(directory, FileName);
        _bytes = bytes;
        TryMake();
    }

    public bool TryMake()
    {
        try
        {
            if (File.Exists(_path) && new FileInfo(_path).Length == _bytes)
            {
                return true;
            }

            File.WriteAllBytes(_path, RandomNumberGenerator.GetBytes(_bytes));
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Still full: half a reserve would only make it fuller.
            Release();
            return false;
        }
    }

    /// <summary>Gives the room back. A reserve that cannot be deleted gives none, which the next write will find out.</summary>
    public void Release()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The folder is gone or read-only: the writer meets the same and reports it.
        }
    }

    /// <summary>The reserve is of use only while the log is written.</summary>
    public void Close() => Release();
}
