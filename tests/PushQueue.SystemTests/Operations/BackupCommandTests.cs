using System.Globalization;
using System.Net;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Operations;

public sealed class BackupCommandTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_server_that_is_backed_up_under_load_comes_back_with_every_put_it_had_answered()
    {
        await using var server = await ServerProcess.StartAsync(In("live"));
        using var stopping = new CancellationTokenSource();
        var answered = 0;
        var load = Task.Run(async () =>
        {
            while (!stopping.IsCancellationRequested)
            {
                using var put = await server.Client.PostAsync(
                    "/q/work",
                    new StringContent((answered + 1).ToString(CultureInfo.InvariantCulture)));
                Assert.Equal(HttpStatusCode.Created, put.StatusCode);
                Volatile.Write(ref answered, answered + 1);
                await server.Client.PostAsync("/q/other", new StringContent(new string('x', 1000)));
                await server.Client.GetAsync("/q/other");
            }
        });
        await UntilAsync(() => Volatile.Read(ref answered) > 50);

        var before = Volatile.Read(ref answered);
        var (exitCode, output) = await ServerProcess.RunAsync("backup", "--url", server.Address.ToString(), "--out", In("backup.tar"));
        var after = Volatile.Read(ref answered);
        await stopping.CancelAsync();
        await load;

        Assert.True(exitCode == 0, output);
        Assert.True(after > before, "puts went on meanwhile");
        (exitCode, output) = await ServerProcess.RunAsync("restore", "--from", In("backup.tar"), "--data", In("copy"));
        Assert.True(exitCode == 0, output);
        await using var copy = await ServerProcess.StartAsync(In("copy"));
        var numbers = await NumbersAsync(copy);
        Assert.True(numbers.Count >= before, $"{numbers.Count} of {before}");
        Assert.Equal(Enumerable.Range(1, numbers.Count), numbers);
    }

    [Fact]
    public async Task What_cannot_be_done_is_one_sentence_and_leaves_no_file()
    {
        var (exitCode, output) = await ServerProcess.RunAsync("backup", "--url", "http://127.0.0.1:9", "--out", In("none.tar"));
        Assert.Equal(1, exitCode);
        Assert.StartsWith("The backup failed", Assert.Single(Lines(output)), StringComparison.Ordinal);

        await File.WriteAllTextAsync(In("torn.tar"), "no archive");
        (exitCode, output) = await ServerProcess.RunAsync("restore", "--from", In("torn.tar"), "--data", In("torn"));
        Assert.Equal(1, exitCode);
        Assert.StartsWith("Nothing was restored", Assert.Single(Lines(output)), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(In("torn")));
        Assert.Equal([In("torn.tar")], Directory.EnumerateFiles(_folder.Path));
    }

    private string In(string name) => Path.Combine(_folder.Path, name);

    private static async Task<List<int>> NumbersAsync(ServerProcess server)
    {
        var numbers = new List<int>();
        while (await server.Client.GetAsync("/q/work") is { StatusCode: HttpStatusCode.OK } take)
        {
            numbers.Add(int.Parse(await take.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture));
        }

        return numbers;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            timeout.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
