using System.Net;
using System.Net.Http.Headers;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Hosting;

public sealed class AccessHostTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_key_that_key_new_prints_opens_the_server_and_stands_in_no_log()
    {
        var (exitCode, output) = await ServerProcess.RunAsync("key", "new", "--name", "shop", "--queue", "orders.*", "--can", "put,listen");
        Assert.Equal(0, exitCode);
        var key = output.Split('\n').Single(static line => line.StartsWith("pq_", StringComparison.Ordinal));
        var file = Path.Combine(_folder.Path, "access.json");
        await File.WriteAllTextAsync(file, $$"""{"keys":[{{output[output.IndexOf('{', StringComparison.Ordinal)..]}}]}""");
        await using var server = await ServerProcess.StartAsync(_folder.Path, "--auth", file, "--listen", "0.0.0.0");
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Address.Port}") };

        using var without = await client.PostAsync("/q/orders.eu", new StringContent("1"));
        using var stream = await client.GetAsync($"/sse/orders.eu?access_token={key}", HttpCompletionOption.ResponseHeadersRead);
        using var badStream = await client.GetAsync($"/sse/orders.eu?access_token={key}&nonsense=1");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var put = await client.PostAsync("/q/orders.eu", new StringContent("1"));
        using var other = await client.PostAsync("/q/news", new StringContent("1"));
        using var page = await client.GetAsync("/");

        Assert.Equal(
            [
                HttpStatusCode.Unauthorized,
                HttpStatusCode.OK,
                HttpStatusCode.BadRequest,
                HttpStatusCode.Created,
                HttpStatusCode.Forbidden,
                HttpStatusCode.OK
            ],
            new[] { without, stream, badStream, put, other, page }.Select(static answer => answer.StatusCode));
        Assert.Equal(0, await server.StopAsync());
        Assert.DoesNotContain("pq_", server.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(key[14..], output[output.IndexOf('{', StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_address_than_loopback_needs_an_access_file_and_a_broken_one_is_one_sentence()
    {
        var (exitCode, output) = await ServerProcess.RunAsync("--port", "0", "--data", _folder.Path, "--listen", "0.0.0.0");
        Assert.Equal(2, exitCode);
        Assert.Contains("--auth", output, StringComparison.Ordinal);

        (exitCode, output) = await ServerProcess.RunAsync(
            "--port",
            "0",
            "--data",
            _folder.Path,
            "--auth",
            Path.Combine(_folder.Path, "none.json"));
        Assert.Equal(1, exitCode);
        Assert.Contains("none.json", Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_option_is_refused_wherever_it_stands()
    {
        string[] options = ["--port", "0", "--data", _folder.Path];
        var (exitCode, output) = await ServerProcess.RunInAsync(_folder.Path, ("PUSHQUEUE_AUHT", "x"), options);
        Assert.Equal(2, exitCode);
        Assert.Contains("PUSHQUEUE_AUHT", output, StringComparison.Ordinal);

        await File.WriteAllTextAsync(
            Path.Combine(_folder.Path, "appsettings.json"),
            """{"PushQueue":{"Limits":"queues=1","limit":"queues=x,nope=1"}}""");
        (exitCode, output) = await ServerProcess.RunInAsync(_folder.Path, null, options);
        Assert.Equal(2, exitCode);
        Assert.Contains("PushQueue:Limits", output, StringComparison.Ordinal);
        Assert.Contains("'x' is not a whole number", output, StringComparison.Ordinal);
        Assert.Contains("nope=1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_in_appsettings_are_lists_and_limits_an_object()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_folder.Path, "appsettings.json"),
            """{"PushQueue":{"allowOrigin":["https://one.example","https://two.example"],"limit":{"queues":1,"batch":2},"proxy":[]}}""");
        await using var server = await ServerProcess.StartInAsync(_folder.Path, "--data", Path.Combine(_folder.Path, "data"));

        foreach (var (origin, allowed) in
            new[] { ("https://one.example", true), ("https://two.example", true), ("https://three.example", false) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/q");
            request.Headers.Add("Origin", origin);
            using var answer = await server.Client.SendAsync(request);
            Assert.Equal(allowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
        }

        using var batch = await server.Client.PostAsync("/q/one/batch", new StringContent("[1,2,3]"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, batch.StatusCode);

        await File.WriteAllTextAsync(
            Path.Combine(_folder.Path, "appsettings.json"),
            """{"PushQueue":{"port":[1],"limit":{"queues":{"x":1}}}}""");
        var (exitCode, output) = await ServerProcess.RunInAsync(_folder.Path, null, "--data", _folder.Path);
        Assert.Equal(2, exitCode);
        Assert.Contains("PushQueue:port to a list", output, StringComparison.Ordinal);
        Assert.Contains("PushQueue:limit to a list", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pages_and_the_api_carry_the_headers_that_keep_browsers_safe()
    {
        await using var server = await ServerProcess.StartAsync(_folder.Path);
        using var put = await server.Client.PostAsync(
            "/q/test",
            new StringContent("<script>alert(1)</script>", System.Text.Encoding.UTF8, "text/html"));

        foreach (var path in new[] { "/", "/index.html", "/reference.html" })
        {
            using var page = await server.Client.GetAsync(path);
            var policy = page.Headers.GetValues("Content-Security-Policy").Single();
            Assert.StartsWith("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal("no-referrer", page.Headers.GetValues("Referrer-Policy").Single());
            Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        }

        using var looked = await server.Client.GetAsync("/q/test/messages/1/body");
        using var taken = await server.Client.GetAsync("/q/test");
        using var problem = await server.Client.GetAsync("/nowhere");
        Assert.All(
            [looked, taken],
            static body => Assert.Equal("sandbox; default-src 'none'", body.Headers.GetValues("Content-Security-Policy").Single()));
        Assert.All(
            [looked, taken, problem],
            static answer => Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single()));
        Assert.False(taken.Headers.Contains("Server"));
        Assert.False(taken.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Every_limit_of_the_documentation_can_be_set_and_no_other()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "SECURITY.md"));
        var documented = text.Split("## Limits")[1]
            .Split('\n')
            .Where(static line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(static line => line.Split('`')[1])
            .Order();

        var (exitCode, output) = await ServerProcess.RunAsync("--data", _folder.Path, "--limit", "nonsense=1");

        Assert.Equal(2, exitCode);
        Assert.Equal(documented, output.Split("the names are ")[1].Split('.')[0].Split(", ").Order());
    }

    [Fact]
    public async Task A_limit_of_the_command_line_holds()
    {
        await using var server = await ServerProcess.StartAsync(_folder.Path, "--limit", "queues=1", "--limit", "batch=2");

        using var first = await server.Client.PostAsync("/q/one", new StringContent("1"));
        using var second = await server.Client.PostAsync("/q/two", new StringContent("1"));
        using var batch = await server.Client.PostAsync("/q/one/batch", new StringContent("[1,2,3]"));

        Assert.Equal(
            [HttpStatusCode.Created, HttpStatusCode.TooManyRequests, HttpStatusCode.RequestEntityTooLarge],
            new[] { first, second, batch }.Select(static answer => answer.StatusCode));
    }
}
