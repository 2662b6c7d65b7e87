using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Hosting;

public sealed class HostTests : IDisposable
{
    private readonly TemporaryDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task All_wrong_options_are_told_at_once_each_with_its_switch()
    {
        var (exitCode, output) = await ServerProcess.RunAsync(
            "--port", "99999", "--durability", "sometimes", "--listen", "0.0.0.0", "--max-message-bytes", "many", "--data", _data.Path);

        Assert.Equal(2, exitCode);
        foreach (var name in new[] { "--port", "--durability", "--listen", "--open", "--max-message-bytes" })
        {
            Assert.Contains(name, output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_unknown_option_is_refused()
    {
        var (exitCode, output) = await ServerProcess.RunAsync("--nope");

        Assert.Equal(2, exitCode);
        Assert.Contains("--nope", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_or_a_folder_in_use_is_one_sentence_and_exit_code_1()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var (exitCode, output) = await ServerProcess.RunAsync("--port", $"{port}", "--data", _data.Path);
        Assert.Equal(1, exitCode);
        Assert.Contains("in use", Assert.Single(Lines(output)), StringComparison.Ordinal);

        await using var server = await ServerProcess.StartAsync(_data.Path);
        (exitCode, output) = await ServerProcess.RunAsync("--port", "0", "--data", _data.Path);
        Assert.Equal(1, exitCode);
        Assert.Contains(_data.Path, Assert.Single(Lines(output)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sigterm_ends_waits_and_streams_and_the_process_within_ten_seconds()
    {
        await using var server = await ServerProcess.StartAsync(_data.Path);
        using var stream = await server.Client.GetAsync("/sse/test", HttpCompletionOption.ResponseHeadersRead);
        var waiting = server.Client.GetAsync("/q/other?wait=60");
        while (!(await server.Client.GetStringAsync("/stats")).Contains("\"waitingTakes\":1", StringComparison.Ordinal))
        {
            await Task.Yield();
        }

        var started = Stopwatch.GetTimestamp();
        var exitCode = await server.StopAsync();

        Assert.Equal(0, exitCode);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
        Assert.Equal(HttpStatusCode.NoContent, (await waiting).StatusCode);
        Assert.Contains("reconnect", await stream.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("", server.Errors.Trim());
    }

    [Fact]
    public async Task A_proxy_at_a_unix_socket_is_believed_and_a_killed_servers_socket_is_taken_again()
    {
        var path = Path.Combine(_data.Path, "pq.sock");
        string[] options = ["--listen", "127.0.0.1", "--listen", "unix:" + path];
        await using (var killed = await ServerProcess.StartAsync(_data.Path, options))
        {
            await killed.KillAsync();
        }

        await using var server = await ServerProcess.StartAsync(_data.Path, options);
        using var proxy = ClientOf(path);
        proxy.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.7");
        proxy.DefaultRequestHeaders.Add("X-Forwarded-Prefix", "/pq");
        using var stream = await proxy.GetAsync("/c/test", HttpCompletionOption.ResponseHeadersRead);
        using var put = await proxy.PostAsync("/q/test", new StringContent("x"));
        using var direct = new HttpRequestMessage(HttpMethod.Post, "/q/test") { Content = new StringContent("x") };
        direct.Headers.Add("X-Forwarded-Prefix", "/pq");
        using var other = await server.Client.SendAsync(direct);

        Assert.Equal("/pq/q/test/messages/1", put.Headers.Location?.ToString());
        Assert.Equal("/q/test/messages/2", other.Headers.Location?.ToString());
        Assert.Contains(
            "\"remoteAddress\":\"192.0.2.7\"",
            await server.Client.GetStringAsync("/q/test/consumers"),
            StringComparison.Ordinal);
        Assert.Equal(0, await server.StopAsync());
    }

    private static HttpClient ClientOf(string socketPath)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri("http://localhost/") };
    }

    [Fact]
    public async Task A_hang_up_without_a_terminal_leaves_the_server_running()
    {
        const int HangUp = 1;
        await using var server = await ServerProcess.StartAsync(_data.Path);

        server.Signal(HangUp);

        Assert.Equal("ok\n", await server.Client.GetStringAsync("/healthz"));
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task A_second_sigterm_ends_a_drain_at_once()
    {
        await using var server = await ServerProcess.StartAsync(_data.Path, "--drain", "5m");
        server.Signal(15);
        while ((await server.Client.GetAsync("/readyz")).StatusCode != HttpStatusCode.ServiceUnavailable)
        {
            await Task.Yield();
        }

        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task The_page_loads_nothing_from_elsewhere()
    {
        await using var server = await ServerProcess.StartAsync(_data.Path);

        using var page = await server.Client.GetAsync("/");
        var html = await page.Content.ReadAsStringAsync();

        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("src=\"http", html, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/js/main.js")).StatusCode);
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
