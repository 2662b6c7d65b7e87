using System.Diagnostics;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>
/// A small file system of a test's own, to be full or read-only without harm to the machine's. Needs root; else the test is skipped.
/// </summary>
internal sealed class TemporaryMount : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private TemporaryMount()
    {
    }

    public string Path => _directory.Path;

    /// <param name="options">As for <c>mount -t tmpfs -o</c>.</param>
    public static TemporaryMount OrSkip(string options)
    {
        var mount = new TemporaryMount();
        if (Environment.UserName != "root" || Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", mount.Path) != 0)
        {
            mount._directory.Dispose();
            Assert.Skip("Needs the right to mount a tmpfs (run as root).");
        }

        return mount;
    }

    public void Dispose()
    {
        Assert.Equal(0, Run("umount", Path));
        _directory.Dispose();
    }

    private static int Run(string command, params string[] arguments)
    {
        var start =
            new ProcessStartInfo(
                command, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
