using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Dialects;

/// <summary>Clients of presque, unmodified but for the port.</summary>
public sealed class PresqueClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Curls_known_line_works_with_and_without_the_content_type()
    {
        await ToolProcess.SkipWithoutAsync("curl");
        using var data = new TemporaryDirectory();
        await using var server = await ServerProcess.StartAsync(data.Path, "--presque-port", "0");
        var url = server.AddressOf("presque") + "q/foo";

        var with = await CurlAsync("-H", "Content-Type: application/json", "-X", "POST", url, "-d", """{"key":"value"}""");
        var without = await CurlAsync("-X", "POST", url, "-d", """{"key":"value 2"}""");
        var wrong = await CurlAsync("-X", "POST", url, "-d", "key=value");

        Assert.Equal("201 application/json", with);
        Assert.Equal("201 application/json", without);
        Assert.Equal("""{"error":"content-type must be set to application/json"}400 application/json""", wrong);
        Assert.Equal("""{"key":"value"}200 application/json""", await CurlAsync(url));
        Assert.Equal("""{"key":"value 2"}200 application/json""", await CurlAsync(url));
        Assert.Equal("""{"error":"no job"}404 application/json""", await CurlAsync(url));
    }

    [Fact]
    public async Task Perls_lwp_works()
    {
        await ToolProcess.SkipWithoutAsync("perl", "-MLWP::UserAgent", "-e", "1");
        using var data = new TemporaryDirectory();
        await using var server = await ServerProcess.StartAsync(data.Path, "--presque-port", "0");
        var script = Repository.PathOf("tests", "PushQueue.SystemTests", "Dialects", "presque.pl");

        var (exitCode, output) = await ToolProcess.RunAsync(
            Patience,
            data.Path,
            "perl",
            script,
            server.AddressOf("presque").AbsoluteUri.TrimEnd('/'));

        Assert.True(exitCode == 0, output);
        Assert.Equal(
            """
            POST /w/foo 201 application/json 
            POST /q/foo 201 application/json 
            GET /q/foo 200 application/json {"key":"value"}
            PUT /q/foo 201 application/json 
            GET /q/foo 200 application/json {"key":"value"}
            GET /q/foo 404 application/json {"error":"no job"}
            POST /qb/foo 201 application/json 
            GET /qb/foo?batch_size=5 200 application/json ["{\"a\":1}","{\"b\":2}"]
            GET /j/foo 200 application/json {"queue_name":"foo","job_count":0,"job_failed":1,"job_processed":4}
            GET /w/?queue_name=foo 200 application/json {"queue_name":"foo","workers_list":["perl"],"processed":4,"failed":1}
            DELETE /w/foo?worker_id=perl 204 application/json 
            GET /w/ 200 application/json []
            DELETE /q/foo 204 application/json 
            """,
            output.Trim('\r', '\n', '\0'));
    }

    [Fact]
    public async Task The_example_worker_fetches_works_and_puts_back_what_failed()
    {
        await ToolProcess.SkipWithoutAsync("python3");
        using var data = new TemporaryDirectory();
        await using var server = await ServerProcess.StartAsync(data.Path, "--presque-port", "0");
        var presque = server.AddressOf("presque");
        using var client = new HttpClient { BaseAddress = presque };
        foreach (var job in (string[])["""{"n":1}""", """{"n":2,"fails":true}""", """{"n":3}"""])
        {
            using var content = new StringContent(job, null, "application/json");
            Assert.True((await client.PostAsync("q/foo", content)).IsSuccessStatusCode);
        }

        var (exitCode, output) = await ToolProcess.RunAsync(
            Patience, Repository.PathOf(
                "examples",
                "workers"), "python3", "presque_worker.py", "--url", presque.AbsoluteUri, "--jobs", "3");

        Assert.True(exitCode == 0, output);
        Assert.Equal(["done 1", "failed: this job fails once", "done 3", "done 2", "processed 4, failed 1"], ToolProcess.Lines(output));
        Assert.Equal("[]", await client.GetStringAsync("w/"));
        Assert.Equal("""{"queue_name":"foo","job_count":0,"job_failed":1,"job_processed":4}""", await client.GetStringAsync("j/foo"));
    }

    [Fact]
    public async Task Jobs_and_counters_survive_an_orderly_restart()
    {
        using var data = new TemporaryDirectory();
        await using (var first = await ServerProcess.StartAsync(data.Path))
        {
            using var job = new StringContent("""{"n": 1}""", null, "application/json");
            using var again = new StringContent("""{"n": 2}""", null, "application/json");
            await first.Client.PostAsync("presque/q/foo", job);
            await first.Client.GetStringAsync("presque/q/foo");
            await first.Client.PutAsync("presque/q/foo", again);
            Assert.Equal(0, await first.StopAsync());
        }

        await using var second = await ServerProcess.StartAsync(data.Path);

        Assert.Equal(
            """{"queue_name":"foo","job_count":1,"job_failed":1,"job_processed":1}""",
            await second.Client.GetStringAsync("presque/j/foo"));
        Assert.Equal("""{"n": 2}""", await second.Client.GetStringAsync("presque/q/foo"));
    }

    private static async Task<string> CurlAsync(params string[] arguments)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(
            Patience, Path.GetTempPath(), "curl", ["-s", "-w", "%{http_code} %{content_type}", .. arguments]);
        Assert.True(exitCode == 0, output);
        return string.Concat(ToolProcess.Lines(output));
    }
}
