namespace PushQueue.Storage.Embedded.Log;

/// <summary>
/// A file of zeros that holds room on the disk. When the disk is full it is deleted, so that the records of messages being taken still
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

            File.WriteAllBytes(_path, new byte[_bytes]);
            return true;
        }
        catch (IOException)
        {
            // Still full: half a reserve would only make it fuller.
            Release();
            return false;
        }
    }

    public void Release() => File.Delete(_path);

    /// <summary>The reserve is of use only while the log is written.</summary>
    public void Close() => Release();
}
