using System.Collections.Concurrent;
using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Security;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Security;

/// <summary>An application that hosts the queue under a prefix and protects it by its own authentication.</summary>
public sealed class HostApplicationTests : IAsyncLifetime
{
    private const string Friend = "https://friend.example";

    private readonly TemporaryDirectory _directory = new();
    private readonly VerifyingLogger _log = new();

    /// <summary>The permissions of each user, as the claims of the test's scheme.</summary>
    private static readonly Dictionary<string, string[]> Claims = new(StringComparer.Ordinal);

    private static readonly ConcurrentDictionary<string, bool> Revoked = new(StringComparer.Ordinal);

    private WebApplication _app = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<ILoggerFactory>(_log);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddAuthentication(UserHandler.Name).AddScheme<AuthenticationSchemeOptions, UserHandler>(UserHandler.Name, null);
        builder.Services.AddAuthorization(static options => options.AddPolicy("staff", static policy => policy.RequireClaim("staff")));
        builder.Services.AddCors(
            static options => options.AddPolicy("friends", static policy => policy.WithOrigins(Friend).AllowCredentials()));
        builder.Services.AddPushQueue(options =>
        {
            options.Storage.DataDirectory = _directory.Path;
            options.Storage.Durability = "memory";
            options.Security.UseClaims();
            var byClaims = options.Security.GrantsOf!;
            options.Security.GrantsOf = user => Revoked.ContainsKey(user.Identity!.Name!) ? [] : byClaims(user);
        });
        _app = builder.Build();
        _app.UseRouting();
        _app.UseCors();
        _app.UseAuthentication();
        _app.UseAuthorization();
        _app.MapGroup("/mq").MapPushQueue().RequireCors("friends");
        _app.MapGroup("/staff").MapPushQueue().RequireAuthorization("staff");
        _app.MapHealthChecks("/health");
        await _app.StartAsync().WithTimeout();
        _client = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.StopAsync().WithTimeout();
        await _app.DisposeAsync();
        _directory.Dispose();
        _log.Verify();
    }

    [Theory]
    [InlineData(null, "POST", "/mq/q/orders", 401)]
    [InlineData("nobody", "POST", "/mq/q/orders", 403)]
    [InlineData("producer", "POST", "/mq/q/orders", 201)]
    [InlineData("producer", "GET", "/mq/q/orders", 403)]
    [InlineData("producer", "POST", "/mq/q/news", 403)]
    [InlineData("producer", "POST", "/mq/restmq/q/orders", 400)]
    [InlineData("producer", "POST", "/mq/restmq/q/news", 403)]
    [InlineData("producer", "GET", "/mq/stats", 403)]
    [InlineData("worker", "GET", "/mq/q/orders.eu", 204)]
    [InlineData("worker", "GET", "/mq/c/orders.eu", 403)]
    [InlineData("worker", "GET", "/mq/healthz", 200)]
    [InlineData(null, "POST", "/staff/q/orders", 401)]
    [InlineData("producer", "POST", "/staff/q/orders", 403)]
    [InlineData("boss", "POST", "/staff/q/orders", 201)]
    public async Task Claims_of_the_applications_users_are_their_permissions(string? user, string method, string path, int status)
    {
        Grant("nobody", "other=1");
        Grant("producer", "pushqueue=put:orders", "pushqueue=nonsense:*", "pushqueue=listen");
        Grant("worker", "pushqueue=take:orders.*");
        Grant("boss", "pushqueue=put,take,manage:*", "staff=yes");

        Assert.Equal(status, (await SendAsync(method, path, user)).Status);
    }

    [Fact]
    public async Task Links_lead_back_under_the_prefix()
    {
        Grant("linker", "pushqueue=put,take,listen,manage:*");

        var put = await SendAsync("POST", "/mq/q/links?id=a%2Fb", "linker");
        var list = await SendAsync("GET", "/mq/restmq/q/", "linker");

        Assert.Equal("/mq/q/links/messages/a%2Fb", put.Headers["Location"]);
        Assert.Equal(200, (await SendAsync("GET", put.Headers["Location"], "linker")).Status);
        Assert.Contains("\"/mq/restmq/q/links\"", list.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_ends_when_the_application_takes_the_grant_back()
    {
        Grant("listener", "pushqueue=listen:news");
        using var request = Request("GET", "/mq/c/news", "listener");
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        using var stream = new StreamLines(await answer.Content.ReadAsStreamAsync());
        _ = await stream.ReadCursorAsync().WithTimeout();

        Revoked["listener"] = true;

        Assert.Contains("access-ended", await stream.NextLineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Friend, 201)]
    [InlineData("https://evil.example", 403)]
    public async Task A_page_that_the_applications_own_cors_policy_allows_may_come_in(string origin, int status)
    {
        Grant("page", "pushqueue=put:*");
        using var request = Request("POST", "/mq/q/pages", "page");
        request.Headers.Add("Origin", origin);
        using var response = await _client.SendAsync(request).WithTimeout();

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 201, response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task The_applications_health_checks_know_the_node() =>
        Assert.Equal("Healthy", (await SendAsync("GET", "/health", user: null)).Text);

    [Theory]
    [InlineData("put,take:orders.*", true)]
    [InlineData("stats:*", true)]
    [InlineData("put", false)]
    [InlineData("put:", false)]
    [InlineData(":orders", false)]
    [InlineData("put,fly:orders", false)]
    public void A_claim_that_cannot_be_read_grants_nothing(string claim, bool grants) =>
        Assert.Equal(grants, QueueGrant.Parse(claim) is not null);

    private static void Grant(string user, params string[] claims)
    {
        lock (Claims)
        {
            Claims[user] = claims;
        }
    }

    private static HttpRequestMessage Request(string method, string path, string? user)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST")
        {
            request.Content = new StringContent("x");
        }

        if (user is not null)
        {
            request.Headers.Add("X-User", user);
        }

        return request;
    }

    private async Task<Answer> SendAsync(string method, string path, string? user)
    {
        using var request = Request(method, path, user);
        using var response = await _client.SendAsync(request).WithTimeout();
        return await Answer.ReadAsync(response);
    }

    /// <summary>Believes a header; an application's own scheme in its shortest form.</summary>
    private sealed class UserHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        public const string Name = "X-User";

        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-User"].ToString() is not { Length: > 0 } name)
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            lock (Claims)
            {
                var claims = Claims[name].Select(static claim => claim.Split('=')).Select(static parts => new Claim(parts[0], parts[1]));
                var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name), .. claims], Name);
                return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Name)));
            }
        }
    }
}
