using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Dialects;

/// <summary>Clients of redisched, and what its pushes outlive.</summary>
public sealed class RedischedClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task The_example_scheduler_runs_what_is_due_requeues_what_lies_and_cancels_by_id()
    {
        await ToolProcess.SkipWithoutAsync("python3");
        using var data = new TemporaryDirectory();
        await using var server = await ServerProcess.StartAsync(data.Path, "--redisched-port", "0");

        var (exitCode, output) = await ToolProcess.RunAsync(
            Patience, Repository.PathOf("examples", "workers"), "python3", "redisched_scheduler.py",
            "--url", server.AddressOf("redisched").AbsoluteUri, "--demo", "--seconds", "2");

        Assert.True(exitCode == 0, output);
        var lines = ToolProcess.Lines(output);
        Assert.Equal(
            [
                "scheduled first True",
                "scheduled second True",
                "scheduled cancelled True",
                "again False",
                "cancel True",
                "cancel again False",
                "left lying crashed"
            ],
            lines[..7]);
        Assert.Equal(
            ["run crashed {\"to\": \"crashed\"}", "run first {\"to\": \"first\"}", "run second {\"to\": \"second\"}"],
            lines[7..].Where(line => line.StartsWith("run ", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        using var client = new HttpClient { BaseAddress = server.AddressOf("redisched") };
        Assert.Equal("""{"result":0}""", await client.GetStringAsync("t/mails/ready?max=253370764800000"));
    }

    [Fact]
    public async Task A_subscription_and_its_jobs_survive_a_kill()
    {
        using var data = new TemporaryDirectory();
        using var receiver = new HttpListener();
        var url = Listen(receiver);
        var answering = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var came = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var receiving = ReceiveAsync(receiver, came, answering.Task);
        await using (var first = await ServerProcess.StartAsync(data.Path))
        {
            Assert.True((await first.Client.PatchAsync("q/T/settings", Json("""{"ttr":"1s"}"""))).IsSuccessStatusCode);
            Assert.Equal("""{"success":true}""", await PostAsync(first, "subscribe/T", $$"""{"url":"{{url}}"}"""));
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(
                    """{"success":true}""",
                    await PostAsync(first, "schedule/T", $$"""{"id":"job {{i}}","contents":{{i}},"delay":0}"""));
            }

            // Some are on their way and unanswered when the process dies.
            await WaitAsync(() => !came.IsEmpty, "a job has come");
            await first.KillAsync();
        }

        came.Clear();
        answering.SetResult();
        await using var second = await ServerProcess.StartAsync(data.Path);

        await WaitAsync(() => came.Count == 20, "every job has come");
        await WaitAsync(
            async () => await second.Client.GetStringAsync("redisched/t/T/ready?max=253370764800000") == """{"result":0}"""
                && (await JsonAsync(second, "j/T")).GetProperty("leased").GetInt32() == 0,
            "every job is released");
        receiver.Stop();
        await receiving;
    }

    [Fact]
    public async Task Only_hosts_that_the_operator_allows_may_be_pushed_to()
    {
        using var data = new TemporaryDirectory();
        await using var server = await ServerProcess.StartAsync(data.Path, "--push-allow", "192.0.2.0/24");

        using var loopback = await server.Client.PostAsync("redisched/subscribe/T", Json("""{"url":"http://127.0.0.1:1/"}"""));
        using var allowed = await server.Client.PostAsync("redisched/subscribe/T", Json("""{"url":"http://192.0.2.1/"}"""));

        Assert.Equal(HttpStatusCode.Forbidden, loopback.StatusCode);
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
    }

    [Fact]
    public async Task A_list_that_makes_no_sense_stops_the_start()
    {
        using var data = new TemporaryDirectory();

        var (exitCode, output) = await ServerProcess.RunAsync("--port", "0", "--data", data.Path, "--push-allow", "http://x/");

        Assert.Equal(2, exitCode);
        Assert.Contains("--push-allow", output, StringComparison.Ordinal);
    }

    private static async Task ReceiveAsync(HttpListener receiver, ConcurrentDictionary<string, int> came, Task answering)
    {
        while (receiver.IsListening)
        {
            try
            {
                var context = await receiver.GetContextAsync();
                using var json = await JsonDocument.ParseAsync(context.Request.InputStream);
                came.AddOrUpdate(json.RootElement.GetProperty("id").GetString()!, 1, static (_, count) => count + 1);
                if (answering.IsCompleted)
                {
                    context.Response.StatusCode = 204;
                    context.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // Stopped by the test, or a client that went away.
            }
        }
    }

    /// <summary>HttpListener cannot choose a free port by itself.</summary>
    private static string Listen(HttpListener receiver)
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/receive/";
        probe.Stop();
        receiver.Prefixes.Add(url);
        receiver.Start();
        return url;
    }

    private static Task WaitAsync(Func<bool> condition, string what) => WaitAsync(() => Task.FromResult(condition()), what);

    private static async Task WaitAsync(Func<Task<bool>> condition, string what)
    {
        using var bound = new CancellationTokenSource(Patience);
        while (!await condition())
        {
            if (bound.IsCancellationRequested)
            {
                throw new TimeoutException($"After {Patience} this is still not so: {what}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    private static StringContent Json(string json) => new(json, null, "application/json");

    private static async Task<string> PostAsync(ServerProcess server, string path, string json)
    {
        using var answer = await server.Client.PostAsync("redisched/" + path, Json(json));
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<JsonElement> JsonAsync(ServerProcess server, string path)
    {
        using var json = JsonDocument.Parse(await server.Client.GetStringAsync(path));
        return json.RootElement.Clone();
    }
}
