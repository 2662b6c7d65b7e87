using System.Text.RegularExpressions;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Hosting;

/// <summary>
/// The content of the container image: the published output, run from an empty folder by a user without rights, with the image's
/// environment.
/// </summary>
[Trait("Category", "Packaging")]
public sealed partial class PublishedOutputTests
{
    private const string Nobody = "65534";

    [Fact]
    public async Task The_published_server_runs_from_an_empty_folder_as_a_user_without_rights()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv"), "Only root may become another user.");
        using var image = new TemporaryDirectory();
        using var data = new TemporaryDirectory();
        using var work = new TemporaryDirectory();
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var (exitCode, output) = await ToolProcess.RunAsync(
            TimeSpan.FromMinutes(3), Repository.Root,
            "dotnet", "publish", "server/PushQueue.Server", "-c", configuration, "--no-build", "--nologo", "-o", image.Path);
        Assert.True(exitCode == 0, output);
        await ReadableAsync(image.Path, work.Path);
        await OwnedByNobodyAsync(data.Path);

        using var server = ToolProcess.Start(
            work.Path,
            "setpriv",
            $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups",
            "env", "-i", $"PATH={Environment.GetEnvironmentVariable("PATH")}", "DOTNET_EnableDiagnostics=0",
            "PUSHQUEUE_LISTEN=0.0.0.0", "PUSHQUEUE_PORT=0", "PUSHQUEUE_OPEN=true", $"PUSHQUEUE_DATA={data.Path}",
            "dotnet", Path.Combine(image.Path, "PushQueue.Server.dll"));
        try
        {
            var line = await server.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
            var port = Port().Match(line ?? "");
            Assert.True(port.Success, $"It said '{line}', and: {(server.HasExited ? await server.StandardError.ReadToEndAsync() : "")}");
            using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port.Groups["port"].Value}") };
            using var put = await client.PostAsync("/q/test", new StringContent("hello"));
            Assert.True(put.IsSuccessStatusCode);
            Assert.Equal("hello", await client.GetStringAsync("/q/test"));
            Assert.Contains("<html", await client.GetStringAsync("/"), StringComparison.OrdinalIgnoreCase);
            Assert.Empty(Directory.EnumerateFileSystemEntries(work.Path));
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    private static async Task ReadableAsync(params string[] folders)
    {
        foreach (var folder in folders)
        {
            Assert.Equal(0, (await ToolProcess.RunAsync(TimeSpan.FromSeconds(20), folder, "chmod", "-R", "a+rX", folder)).ExitCode);
        }
    }

    private static async Task OwnedByNobodyAsync(string folder) =>
        Assert.Equal(0, (await ToolProcess.RunAsync(TimeSpan.FromSeconds(20), folder, "chown", $"{Nobody}:{Nobody}", folder)).ExitCode);

    [GeneratedRegex(@"listening on http://0\.0\.0\.0:(?<port>\d+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Port();
}
