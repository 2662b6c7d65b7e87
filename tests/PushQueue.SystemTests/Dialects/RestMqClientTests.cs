using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Dialects;

/// <summary>Old clients of RestMQ against its port of a real server: the lines that its users know, Python's XML-RPC, logger.</summary>
public sealed class RestMqClientTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _data = new();
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await ServerProcess.StartAsync(
        _data.Path, "--restmq-port", "0", "--syslog-port", "0");

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task The_lines_of_curl_that_its_users_know_work_as_they_are()
    {
        await NeedAsync("curl");

        Assert.Equal("test:1", await ShellAsync("""curl -s -d "value=foobar" http://localhost:8888/q/test"""));
        Assert.Equal("test:2", await ShellAsync("""curl -s -X POST -d "queue=test" -d "msg=foo bar" http://localhost:8888/"""));
        Assert.Equal("test:3", await ShellAsync("""curl -s --data-urlencode 'value={"a": "b&c"}' http://localhost:8888/q/test"""));
        Assert.Equal("""{"key":"test:1","value":"foobar","count":0}""", await ShellAsync("curl -s http://localhost:8888/q/test"));
        Assert.Equal("""{"key":"test:2","value":"foo bar","count":0}""", await ShellAsync("curl -s 'http://localhost:8888/?queue=test'"));
        Assert.Equal(
            """cb({"key":"test:3","value":"{\"a\": \"b&c\"}","count":0});""",
            await ShellAsync("curl -s 'http://localhost:8888/q/test?callback=cb'"));
        Assert.Equal("204", await ShellAsync("curl -s -o /dev/null -w '%{http_code}' http://localhost:8888/q/test"));

        Assert.Equal(
            """{"queue":"genesis","value":"abacab","key":"genesis:1"}""",
            await ShellAsync(
                """curl -s -X POST -d 'body={"cmd": "add", "queue": "genesis", "value": "abacab"}' http://localhost:8888/queue"""));
        Assert.Equal(
            """{"queue":"genesis","value":"abacab","key":"genesis:1","count":1}""",
            await ShellAsync("""curl -s -d '{"cmd":"get","queue":"genesis"}' http://localhost:8888/queue"""));
        Assert.Equal(
            """{"queue":"genesis","value":"abacab","key":"genesis:1"}""",
            await ShellAsync(
                """curl -s -H 'Content-Type: application/json' -d '{"cmd":"take","queue":"genesis"}' http://localhost:8888/queue"""));

        Assert.Equal("\"OK\"", await ShellAsync("curl -s -X POST -d 'policy=roundrobin' http://localhost:8888/p/test"));
        Assert.Equal("""{"queue":"test","value":"roundrobin"}""", await ShellAsync("curl -s http://localhost:8888/p/test"));
        Assert.Equal(
            """{"stat":{"queue":"test","status":0}}""",
            await ShellAsync("curl -s -X POST -d 'status=stop' http://localhost:8888/control/test"));
        Assert.Equal("""{"queue":"test","status":1}""", await ShellAsync("curl -s -X DELETE http://localhost:8888/q/test"));
    }

    [Fact]
    public async Task Comet_by_curl_gives_each_message_as_it_comes()
    {
        await NeedAsync("curl");
        using var comet = ToolProcess.Start(_data.Path, "curl", "-sN", new Uri(_server.AddressOf("restmq"), "/c/test").AbsoluteUri);
        try
        {
            // Put before anybody is connected it waits: so the first line needs no knowledge of when the stream has opened.
            await ShellAsync("curl -s -d value=one http://localhost:8888/q/test");
            Assert.Equal(
                """{"key":"test:1","value":"one"}""",
                await comet.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)));
            await ShellAsync("curl -s -d value=two http://localhost:8888/q/test");
            Assert.Equal(
                """{"key":"test:2","value":"two"}""",
                await comet.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)));

            await ShellAsync("curl -s -X DELETE http://localhost:8888/q/test");
            await comet.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(0, comet.ExitCode);
        }
        finally
        {
            if (!comet.HasExited)
            {
                comet.Kill();
            }
        }
    }

    [Fact]
    public async Task Python_speaks_XML_RPC_with_it()
    {
        await NeedAsync("python3");

        var output = await RunAsync("python3", "-c", """
            import sys, xmlrpc.client
            server = xmlrpc.client.ServerProxy(sys.argv[1])
            print(server.set("test", "a <b> & ü\n"))
            print(server.get("test"))
            for call in (lambda: server.get("test"), lambda: server.set("test"), lambda: server.steal()):
                try:
                    call()
                except xmlrpc.client.Fault as fault:
                    print(fault.faultCode, fault.faultString)
            """, new Uri(_server.AddressOf("restmq"), "/xmlrpc").AbsoluteUri);

        var lines = output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("test:1", lines[0]);
        Assert.Equal(@"{'key': 'test:1', 'value': 'a <b> & ü\n'}", lines[1]);
        Assert.Equal("1 empty queue", lines[2]);
        Assert.StartsWith("-32602 ", lines[3], StringComparison.Ordinal);
        Assert.StartsWith("-32601 ", lines[4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logger_sends_syslog_to_it()
    {
        await NeedAsync("logger");
        var port = _server.AddressOf("syslog").Port;

        await RunAsync(
            "logger",
            "--tcp",
            "--server",
            "127.0.0.1",
            "--port",
            $"{port}",
            "--rfc3164",
            "--priority",
            "mail.crit",
            "hello from logger");

        var line = await ShellAsync("curl -s 'http://localhost:8080/q/syslogd:127.0.0.1?wait=30'");
        Assert.Contains("hello from logger", line, StringComparison.Ordinal);
        Assert.Contains("\"host\":\"127.0.0.1\"", line, StringComparison.Ordinal);
        Assert.Contains("\"facility\":2,\"severity\":2", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_port_or_access_file_is_told_with_its_switch()
    {
        var (exitCode, output) = await ServerProcess.RunAsync(
            "--restmq-port", "70000", "--syslog-port", "no", "--acl", Path.Combine(_data.Path, "missing.ini"), "--data", _data.Path);

        Assert.Equal(2, exitCode);
        foreach (var name in (string[])["--restmq-port", "--syslog-port", "--acl"])
        {
            Assert.Contains(name, output, StringComparison.Ordinal);
        }
    }

    /// <summary>Runs a line as a shell does, with the ports that everybody knows turned into those of this server.</summary>
    private async Task<string> ShellAsync(string line) => (await RunAsync("sh", "-c", line
        .Replace("http://localhost:8888/", _server.AddressOf("restmq").AbsoluteUri, StringComparison.Ordinal)
        .Replace("http://localhost:8080/", _server.Address.AbsoluteUri, StringComparison.Ordinal))).Trim();

    private async Task<string> RunAsync(string command, params string[] arguments)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(TimeSpan.FromMinutes(1), _data.Path, command, arguments);
        Assert.True(exitCode == 0, $"{command} ended with {exitCode}: {output}");
        return output;
    }

    private static async Task NeedAsync(string command)
    {
        if (!await ToolProcess.ExistsAsync(command))
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", $"{command} is not installed.");
            Assert.Fail($"{command} is not installed.");
        }
    }
}
