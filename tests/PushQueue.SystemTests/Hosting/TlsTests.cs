using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PushQueue.SystemTests.Fuzzing;
using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Hosting;

public sealed class TlsTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory _folder = new();
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, "1.1")]
    [InlineData(false, "2.0")]
    [InlineData(true, "2.0")]
    public async Task Requests_streams_and_sockets_work_over_tls(bool pfx, string version)
    {
        using var certificate = MakeCertificate();
        var options = pfx ? WritePfx(certificate) : WritePem(certificate);
        await using var server = await ServerProcess.StartAsync(_folder.Path, options);
        Assert.Equal("https", server.Address.Scheme);
        using var client = MakeClient(server, version);

        using var stream = await client.GetAsync("/sse/test", HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
        using var events = new StreamLines(await stream.Content.ReadAsStreamAsync());
        using var socket = await ConnectAsync(client, server, "/ws/test", version);
        Assert.Contains("\"subscribed\"", await NextAsync(socket), StringComparison.Ordinal);
        using var put = await client.PostAsync("/q/test", new StringContent("over tls")).WaitAsync(Patience);

        Assert.Equal((HttpStatusCode.Created, Version.Parse(version)), (put.StatusCode, put.Version));
        Assert.Equal(Version.Parse(version), stream.Version);
        Assert.Contains("over tls", await NextEventAsync(events), StringComparison.Ordinal);
        Assert.Contains("over tls", await NextAsync(socket), StringComparison.Ordinal);

        using var hub = await ConnectAsync(client, server, "/hub", version);
        await SendAsync(hub, "{\"protocol\":\"json\",\"version\":1}\u001e");
        Assert.Equal("{}\u001e", await NextAsync(hub));
        await SendAsync(hub, "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Put\",\"arguments\":[\"test\",7]}\u001e");
        Assert.Contains("\"ok\":true", await NextAsync(hub), StringComparison.Ordinal);
        Assert.Contains("\"body\":7", await NextAsync(socket), StringComparison.Ordinal);
        Assert.Equal([certificate.Thumbprint], _seen);
        Assert.Equal(0, await server.StopAsync());
        Assert.Equal("", server.Errors.Trim());
    }

    [Theory]
    [InlineData("/ws?option=unknown")]
    [InlineData("/ws/test?option=unknown")]
    [InlineData("/ws/test%2F")]
    [InlineData("/restmq/ws/test%2F")]
    [InlineData("/hub?id=unknown")]
    [InlineData("/nowhere")]
    [InlineData("/q/test")]
    public async Task A_refused_socket_over_http_2_leaves_no_line_in_the_log(string path)
    {
        using var certificate = MakeCertificate();
        await using var server = await ServerProcess.StartAsync(_folder.Path, WritePem(certificate));
        using var client = MakeClient(server, "2.0");

        await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(client, server, path, "2.0"));

        using var alive = await client.GetAsync("/healthz").WaitAsync(Patience);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.Equal(0, await server.StopAsync());
        Assert.Equal("", server.Errors.Trim());
    }

    [Theory]
    [InlineData("CONNECT", "websocket", "12")]
    [InlineData("CONNECT", "another", "13")]
    [InlineData("GET", null, null)]
    public async Task What_cannot_become_a_socket_over_http_2_is_told_so_without_a_line_in_the_log(
        string method, string? protocol, string? version)
    {
        using var certificate = MakeCertificate();
        await using var server = await ServerProcess.StartAsync(_folder.Path, WritePem(certificate));
        using var client = MakeClient(server, "2.0");

        foreach (var path in (string[])["/ws", "/ws/test", "/restmq/ws/test"])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path)
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            request.Headers.Protocol = protocol;
            request.Headers.Add("Sec-WebSocket-Version", version);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);

            Assert.Equal((426, HttpVersion.Version20), ((int)answer.StatusCode, answer.Version));
            Assert.Equal("13", Assert.Single(answer.Headers.GetValues("Sec-WebSocket-Version")));
        }

        Assert.Equal(0, await server.StopAsync());
        Assert.Equal("", server.Errors.Trim());
    }

    [Theory]
    [InlineData("more bytes than announced", 3)]
    [InlineData("less", 100)]
    public async Task A_body_of_the_wrong_length_over_http_2_leaves_no_line_in_the_log(string body, int announced)
    {
        await WithHttp2Async(async (stream, path, number) => await stream.WriteAsync(FuzzHttp2.Request(
            number,
            Encoding.ASCII.GetBytes(
                $"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {announced}\r\n\r\n{body}"))));
    }

    [Fact]
    public async Task A_broken_frame_in_the_middle_of_a_body_over_http_2_leaves_no_line_in_the_log()
    {
        await WithHttp2Async(async (stream, path, number) =>
        {
            var request = FuzzHttp2.Request(
                number,
                Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\nbegin"));
            await stream.WriteAsync(request.AsMemory(0, request.Length - 5));
            await stream.WriteAsync(Enumerable.Repeat((byte)0xff, 64).ToArray());
        });
    }

    [Fact]
    public async Task Over_tls_browsers_are_told_to_stay_there_but_not_for_localhost()
    {
        using var certificate = MakeCertificate();
        await using var server = await ServerProcess.StartAsync(_folder.Path, [.. WritePem(certificate), "--allow-host", "queue.example"]);
        using var client = MakeClient(server, "1.1");

        var told = await HeaderAsync(client, "/", "queue.example");
        var api = await HeaderAsync(client, "/q/test", "queue.example");
        var local = await HeaderAsync(client, "/", "localhost");

        Assert.Equal(("max-age=31536000", "max-age=31536000", ""), (told, api, local));
    }

    [Fact]
    public async Task A_renewed_certificate_is_taken_without_a_restart_and_a_broken_one_is_not()
    {
        using var first = MakeCertificate();
        using var second = MakeCertificate();
        await using var server = await ServerProcess.StartAsync(_folder.Path, WritePem(first));
        await AskAsync(server);
        Assert.Equal([first.Thumbprint], _seen);

        File.WriteAllText(Path.Combine(_folder.Path, "cert.pem"), "-----BEGIN nonsense");
        await UntilAsync(server, () => server.Errors.Contains("the former one stays", StringComparison.Ordinal));
        Assert.Equal([first.Thumbprint], _seen);
        WritePem(second);
        await UntilAsync(server, () => _seen.Contains(second.Thumbprint));
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_used_is_one_sentence_and_exit_code_1()
    {
        var (exitCode, output) = await ServerProcess.RunAsync(
            "--port",
            "0",
            "--data",
            _folder.Path,
            "--cert",
            Path.Combine(_folder.Path, "none.pem"));

        Assert.Equal(1, exitCode);
        Assert.Contains("--cert", Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static async Task<string> HeaderAsync(HttpClient client, string path, string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = host;
        using var answer = await client.SendAsync(request).WaitAsync(Patience);
        Assert.True(answer.IsSuccessStatusCode);
        return answer.Headers.TryGetValues("Strict-Transport-Security", out var values) ? values.Single() : "";
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private string[] WritePem(X509Certificate2 certificate)
    {
        var (file, keyFile) = (Path.Combine(_folder.Path, "cert.pem"), Path.Combine(_folder.Path, "key.pem"));
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(file, certificate.ExportCertificatePem());
        return ["--cert", file, "--cert-key", keyFile];
    }

    private string[] WritePfx(X509Certificate2 certificate)
    {
        var file = Path.Combine(_folder.Path, "cert.pfx");
        File.WriteAllBytes(file, certificate.Export(X509ContentType.Pfx, "secret"));
        return ["--cert", file, "--cert-password", "secret"];
    }

    private HttpClient MakeClient(ServerProcess server, string version)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) => _seen.Add(certificate!.GetCertHashString()) || true,
            },
        };
        return new HttpClient(handler)
        {
            BaseAddress = server.Address,
            DefaultRequestVersion = Version.Parse(version),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    /// <summary>Sends to every address that reads a body, each over a connection of its own; the log must stay empty.</summary>
    private async Task WithHttp2Async(Func<SslStream, string, int, Task> sendAsync)
    {
        using var certificate = MakeCertificate();
        await using var server = await ServerProcess.StartAsync(_folder.Path, WritePem(certificate));
        string[] paths =
        [
            "/q/test", "/q/test/batch", "/queue", "/q/test/ack", "/p/test", "/restmq/q/test", "/restmq/queue", "/restmq/xmlrpc",
            "/restmq/collectd/data", "/presque/q/test", "/presque/qb/test", "/redisched/t/test/put", "/redisched/schedule/test",
        ];
        foreach (var path in paths)
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(server.Address.Host, server.Address.Port).WaitAsync(Patience);
            await using var stream = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "localhost", ApplicationProtocols = [SslApplicationProtocol.Http2] })
                .WaitAsync(Patience);
            await stream.WriteAsync(FuzzHttp2.Preface);
            await sendAsync(stream, path, 1);

            // A stream error leaves the connection open, so that the next request over it is answered.
            await stream.WriteAsync(FuzzHttp2.Request(3, "GET /healthz HTTP/1.1\r\n\r\n"u8.ToArray()));
            await ReadToAsync(stream, static received => FuzzHttp2.Answers(received).Any(static answer => answer.Status == 200));
        }

        Assert.Equal(0, await server.StopAsync());
        Assert.Equal("", server.Errors.Trim());
    }

    private static async Task ReadToAsync(SslStream stream, Func<byte[], bool> isEnough)
    {
        var received = new List<byte>();
        var buffer = new byte[4096];
        int length;
        do
        {
            try
            {
                length = await stream.ReadAsync(buffer).AsTask().WaitAsync(Patience);
            }
            catch (IOException)
            {
                // The server has reset the connection.
                length = 0;
            }

            received.AddRange(buffer[..length]);
        }
        while (length > 0 && !isEnough([.. received]));
    }

    /// <summary>A request over a connection of its own.</summary>
    private async Task AskAsync(ServerProcess server)
    {
        using var client = MakeClient(server, "1.1");
        Assert.Equal("ok\n", await client.GetStringAsync("/healthz").WaitAsync(Patience));
    }

    private async Task UntilAsync(ServerProcess server, Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!condition())
        {
            timeout.Token.ThrowIfCancellationRequested();
            await AskAsync(server);
        }
    }

    private static async Task<ClientWebSocket> ConnectAsync(HttpClient client, ServerProcess server, string path, string version)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = Version.Parse(version);
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        await socket.ConnectAsync(new Uri($"wss://{server.Address.Authority}{path}"), client, CancellationToken.None).WaitAsync(Patience);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private static async Task<string> NextAsync(ClientWebSocket socket)
    {
        var buffer = new byte[4096];
        var result = await socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(Patience);
        return Encoding.UTF8.GetString(buffer, 0, result.Count);
    }

    private static async Task<string> NextEventAsync(StreamLines events)
    {
        while (true)
        {
            var line = await events.ReadLineAsync().WaitAsync(Patience) ?? throw new EndOfStreamException();
            if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                return line;
            }
        }
    }
}
