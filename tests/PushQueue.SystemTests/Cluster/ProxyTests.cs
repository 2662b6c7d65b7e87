using System.Text.RegularExpressions;
using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>The nodes behind HAProxy, with the repository's own haproxy.cfg.</summary>
public sealed partial class ProxyTests
{
    private const string Program = "/usr/sbin/haproxy";

    [Fact]
    public async Task Streams_and_requests_through_haproxy_reach_any_node_that_is_ready()
    {
        Assert.SkipUnless(File.Exists(Program), "haproxy is missing.");
        await using var cluster = await ClusterFixture.StartAsync();
        using var folder = new TemporaryDirectory();
        var port = RedisServer.FreePort();
        var config = Path.Combine(folder.Path, "haproxy.cfg");
        await File.WriteAllTextAsync(config, await ConfigureAsync(port, cluster.Addresses));
        using var proxy = ToolProcess.Start(folder.Path, Program, "-db", "-f", config);
        try
        {
            var address = new Uri($"http://127.0.0.1:{port}/");
            using var client = new HttpClient { BaseAddress = address };
            await Eventually.TrueAsync(async () => await ServesAsync(client), "the proxy serves");
            await cluster.SetAsync("news", """{"dedupWindow":"10m"}""");
            await using var one = await EventStream.OpenAsync("news", null, address);
            await using var other = await EventStream.OpenAsync("news", null, address);
            await using var worker = await Worker.ConnectAsync(address, "news");
            await using var producer = new SteadyProducer("news", address);
            await one.GotAsync(50);

            await cluster.Nodes[0].StopAsync();

            await one.GotAsync(one.Bodies.Count + 50);
            var stored = await producer.StopAsync();
            await StreamCheck.GotAllAsync(one, stored);
            await StreamCheck.GotAllAsync(other, stored);
            Assert.NotEqual(0, worker.Count);
        }
        finally
        {
            proxy.Kill();
            await proxy.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task A_node_that_drains_behind_haproxy_costs_no_request_and_no_stream()
    {
        Assert.SkipUnless(File.Exists(Program), "haproxy is missing.");
        await using var cluster = await ClusterFixture.StartAsync(nodes: 2, "--drain", "10s");
        using var folder = new TemporaryDirectory();
        var port = RedisServer.FreePort();
        var config = Path.Combine(folder.Path, "haproxy.cfg");
        await File.WriteAllTextAsync(config, await ConfigureAsync(port, cluster.Addresses));
        using var proxy = ToolProcess.Start(folder.Path, Program, "-db", "-f", config);
        try
        {
            var address = new Uri($"http://127.0.0.1:{port}/");
            using var client = new HttpClient { BaseAddress = address };
            await Eventually.TrueAsync(async () => await ServesAsync(client), "the proxy serves");
            await using var stream = await EventStream.OpenAsync("news", null, address);
            using var stopped = new CancellationTokenSource();
            var putting = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PutAsync(client, stopped.Token)));

            Assert.Equal(0, await cluster.Nodes[0].StopAsync());
            await stopped.CancelAsync();

            var puts = await putting;
            Assert.All(
                puts.SelectMany(static statuses => statuses),
                static status => Assert.Equal(System.Net.HttpStatusCode.Created, status));
            await stream.GotAsync(puts.Sum(static statuses => statuses.Count));
            Assert.Empty(stream.Gaps);
        }
        finally
        {
            proxy.Kill();
            await proxy.WaitForExitAsync();
        }
    }

    /// <summary>The status of each put, none of which is repeated.</summary>
    private static async Task<List<System.Net.HttpStatusCode>> PutAsync(HttpClient client, CancellationToken stopped)
    {
        var statuses = new List<System.Net.HttpStatusCode>();
        while (!stopped.IsCancellationRequested)
        {
            using var answer = await client.PostAsync("/q/news", new StringContent("x"), CancellationToken.None);
            statuses.Add(answer.StatusCode);
        }

        return statuses;
    }

    /// <summary>The file as it is, but for addresses: there is no name server here that knows the containers.</summary>
    private static async Task<string> ConfigureAsync(int port, Uri[] nodes)
    {
        var text = await File.ReadAllTextAsync(Repository.PathOf("haproxy.cfg"));
        text = text.Replace("bind :8080", $"bind 127.0.0.1:{port}", StringComparison.Ordinal)
            .Replace(" resolvers docker init-addr libc,none", "", StringComparison.Ordinal)
            .Replace("log stdout format raw local0 warning", "", StringComparison.Ordinal);
        return Node().Replace(
            text,
            match => $"server {match.Groups["name"].Value} {nodes[int.Parse(match.Groups["number"].Value) - 1].Authority}");
    }

    private static async Task<bool> ServesAsync(HttpClient client)
    {
        try
        {
            return (await client.GetAsync("/readyz")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"server (?<name>node(?<number>\d)) \S+", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Node();
}
