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
