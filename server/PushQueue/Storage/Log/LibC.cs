using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PushQueue.Storage.Log;

/// <summary>
/// Flushing to disk as databases do it. .NET flushes with fsync, which also writes the file's times; fdatasync leaves them out and is
/// faster on an append. Directories, which .NET cannot open, must be flushed too before a new file's name is safe.
/// </summary>
internal static partial class LibC
{
    private const int ReadOnlyDirectory = 0x10000; // O_RDONLY | O_DIRECTORY on Linux

    /// <exception cref="IOException">The disk refused; what was not yet on it may be lost.</exception>
    public static void FlushData(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }

        if (FDataSync(file) != 0)
        {
            throw new IOException($"fdatasync failed: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
    }

    /// <exception cref="IOException">The disk refused.</exception>
    public static void FlushDirectory(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var directory = Open(path, ReadOnlyDirectory);
        if (directory < 0)
        {
            var reason = new Win32Exception(Marshal.GetLastPInvokeError()).Message;
            throw new IOException($"Cannot open the folder {path} to flush it: {reason}");
        }

        using var handle = new SafeFileHandle(directory, ownsHandle: true);

        // Some file systems cannot flush a directory and say EINVAL; they need no flush.
        const int InvalidArgument = 22;
        if (FSync(handle) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument)
        {
            throw new IOException($"Cannot flush the folder {path}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
