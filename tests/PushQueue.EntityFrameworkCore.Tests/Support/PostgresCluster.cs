using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>
/// A PostgreSQL of its own, on a socket in a temporary folder, without a port. It refuses to run as root, so root starts it as the user
/// that Debian's package makes.
/// </summary>
public sealed class PostgresCluster : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private TemporaryDirectory? _folder;
    private string? _programs;

    /// <summary>How the socket is found.</summary>
    public string Connection => $"Host={_folder!.Path};Username=postgres;Maximum Pool Size=20";

    private static bool IsRoot => Environment.UserName == "root";

    private string Data => Path.Combine(_folder!.Path, "data");

    public async ValueTask InitializeAsync()
    {
        _programs = FindPrograms();
        if (_programs is null)
        {
            // Each test says why it is skipped.
            return;
        }

        _folder = new TemporaryDirectory();
        if (IsRoot)
        {
            await RunAsync("chown", "postgres", _folder.Path);
        }

        await RunAsOwnerAsync("initdb", "-D", Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync");
        await RunAsOwnerAsync(
            "pg_ctl", "-D", Data, "-l", Path.Combine(_folder.Path, "log"), "-w",
            "-o", $"-c listen_addresses= -c unix_socket_directories={_folder.Path} -c fsync=off", "start");
    }

    public async ValueTask DisposeAsync()
    {
        if (_folder is null)
        {
            return;
        }

        Npgsql.NpgsqlConnection.ClearAllPools();
        await RunAsOwnerAsync("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
        _folder.Dispose();
    }

    /// <summary>Skips the test where PostgreSQL is missing; in continuous integration that is a failure.</summary>
    public void SkipIfMissing()
    {
        if (_folder is null)
        {
            const string WhyNot = "PostgreSQL is missing; ./test.sh installs it.";
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", WhyNot);
            Assert.Fail(WhyNot);
        }
    }

    private static string? FindPrograms() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(static version => Path.Combine(version, "bin"))
                .LastOrDefault(static bin => File.Exists(Path.Combine(bin, "initdb")))
            : null;

    private Task RunAsOwnerAsync(string program, params string[] arguments)
    {
        var path = Path.Combine(_programs!, program);
        return IsRoot
            ? RunAsync("runuser", ["-u", "postgres", "--", path, .. arguments])
            : RunAsync(path, arguments);
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(Patience, _folder!.Path, program, arguments);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {exitCode}: {output}");
    }
}
