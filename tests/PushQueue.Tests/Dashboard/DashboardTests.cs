using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dashboard;

/// <summary>The dashboard in an application that has other pages, too.</summary>
public sealed class DashboardTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly VerifyingLogger _log = new();
    private WebApplication? _app;
    private HttpClient _http = null!;

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync().WithTimeout();
            await _app.DisposeAsync();
        }

        _directory.Dispose();
        _log.Verify();
    }

    [Theory]
    [InlineData("", "/queues", "", "/")]
    [InlineData("/mq", "/queues", "", "/mq/")]
    [InlineData("/mq", "/admin/queues", "/shop", "/shop/mq/")]
    [InlineData("/mq", "", "", "/mq/")]
    public async Task The_page_knows_the_path_of_the_API(string api, string dashboard, string pathBase, string expected)
    {
        await StartAsync(app =>
        {
            app.MapGroup(api).MapPushQueue();
            app.MapPushQueueDashboard(dashboard);
        }, pathBase);

        using var page = await _http.GetAsync($"{pathBase}{dashboard}/").WithTimeout();

        var text = await page.Content.ReadAsStringAsync();
        Assert.Contains($"<meta name=\"pushqueue-api\" content=\"{expected}\">", text, StringComparison.Ordinal);
        Assert.Equal("text/html; charset=utf-8", page.Content.Headers.ContentType!.ToString());
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync($"{expected}healthz").WithTimeout()).StatusCode);
    }

    [Fact]
    public async Task Pages_have_the_headers_of_the_servers_own_pages_and_are_not_loaded_twice()
    {
        await StartAsync();

        using var page = await _http.GetAsync("/queues/").WithTimeout();
        using var module = await _http.GetAsync("/queues/js/main.js").WithTimeout();
        using var again = new HttpRequestMessage(HttpMethod.Get, "/queues/js/main.js");
        again.Headers.IfNoneMatch.Add(module.Headers.ETag!);
        using var unchanged = await _http.SendAsync(again).WithTimeout();

        Assert.Equal(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            page.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("nosniff", module.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("text/javascript", module.Content.Headers.ContentType!.MediaType);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.True(page.Headers.CacheControl!.NoCache);
    }

    [Fact]
    public async Task Every_file_of_the_dashboard_is_served_with_its_bytes()
    {
        await StartAsync();
        var folder = Path.Combine(RepositoryRoot.Path, "wwwroot");

        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(folder, file).Replace('\\', '/');
            var served = await _http.GetByteArrayAsync($"/queues/{path}").WithTimeout();
            var own = await File.ReadAllBytesAsync(file);
            Assert.True(path == "index.html" || served.AsSpan().SequenceEqual(own), path);
        }
    }

    [Fact]
    public async Task Links_of_the_pages_lead_somewhere()
    {
        await StartAsync();
        using var browser = new HttpClient();

        foreach (var name in (string[])["", "reference.html"])
        {
            var page = await _http.GetStringAsync($"/queues/{name}").WithTimeout();
            var links = Regex.Matches(page, "(href|src)=\"(?<to>[^\"#]+)\"", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)
                .Select(static link => link.Groups["to"].Value);
            foreach (var link in links)
            {
                using var answer = await browser.GetAsync(new Uri(new Uri(_http.BaseAddress!, "/queues/"), link)).WithTimeout();
                Assert.True(answer.IsSuccessStatusCode, $"{link}: {answer.StatusCode}");
            }
        }
    }

    [Theory]
    [InlineData("/queues/none.js")]
    [InlineData("/queues/../secret")]
    [InlineData("/queues/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/queues/js")]
    public async Task Other_paths_are_not_found(string path)
    {
        await StartAsync();

        using var answer = await _http.GetAsync(path).WithTimeout();

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task The_path_without_a_slash_leads_to_the_folder()
    {
        await StartAsync(pathBase: "/shop");

        using var answer = await _http.GetAsync("/shop/queues?x=1").WithTimeout();

        Assert.Equal((HttpStatusCode.Redirect, "/shop/queues/?x=1"), (answer.StatusCode, answer.Headers.Location!.ToString()));
    }

    [Fact]
    public async Task The_authorization_of_the_application_holds_for_every_file()
    {
        await StartAsync(static app =>
        {
            app.UseAuthentication().UseAuthorization();
            app.MapPushQueueDashboard("/queues").RequireAuthorization();
            app.MapGroup("/mq").MapPushQueue().RequireAuthorization();
        });

        foreach (var path in (string[])["/queues/", "/queues", "/queues/js/main.js", "/queues/docs/protocol.md", "/mq/q", "/mq/hub"])
        {
            using var answer = await _http.GetAsync(path).WithTimeout();
            Assert.True(answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Redirect, $"{path}: {answer.StatusCode}");
            Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    public async Task An_API_that_is_missing_or_mapped_twice_is_told_with_what_to_do()
    {
        _log.ExpectError("An unhandled exception");
        await StartAsync(static app => app.MapPushQueueDashboard("/queues"));

        using var missing = await _http.GetAsync("/queues/").WithTimeout();

        Assert.Equal(HttpStatusCode.InternalServerError, missing.StatusCode);
        Assert.Contains(_log.Entries, static entry => entry.Exception?.Message.Contains("map it, too", StringComparison.Ordinal) == true);
        var twice = Assert.Throws<InvalidOperationException>(() => Find("/a", "/b"));
        Assert.Contains("2 times", twice.Message, StringComparison.Ordinal);
        var parameters = Assert.Throws<InvalidOperationException>(() => Find("/{tenant}"));
        Assert.Contains("'/{tenant}'", parameters.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _app!.MapPushQueueDashboard("/other", "mq"));

        string Find(params string[] paths)
        {
            foreach (var path in paths)
            {
                _app!.MapGroup(path).MapPushQueue();
            }

            try
            {
                return PushQueueDashboardExtensions.FindApi(new CompositeEndpointDataSource(((IEndpointRouteBuilder)_app!).DataSources));
            }
            finally
            {
                ((IEndpointRouteBuilder)_app!).DataSources.Clear();
            }
        }
    }

    private async Task StartAsync(Action<WebApplication>? map = null, string pathBase = "")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<ILoggerFactory>(_log);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
        builder.Services.AddAuthorization();
        builder.Services.AddPushQueue(options =>
        {
            options.Storage.DataDirectory = _directory.Path;
            options.Storage.Durability = "memory";
        });
        _app = builder.Build();
        _app.UsePathBase(pathBase).UseRouting();
        (map ?? MapBoth)(_app);
        await _app.StartAsync().WithTimeout();
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(_app.Urls.Single()) };
    }

    private static void MapBoth(WebApplication app)
    {
        app.MapPushQueueDashboard();
        app.MapGroup("/mq").MapPushQueue();
    }
}
