using System.Net.WebSockets;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client.SignalR;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Security;

/// <summary>Tokens of an authority whose key set is in a file, over every transport.</summary>
public sealed class ForeignTokenTests : IAsyncLifetime
{
    private readonly TestIssuer _issuer = new();
    private readonly KeyRing _keys = new();
    private PushQueueServer _server = null!;

    /// <summary>The faults of tokens, and a part of the sentence that names each.</summary>
    public static TheoryData<string, string> BadTokens => new()
    {
        { "expired", "expired" },
        { "not yet valid", "not valid yet" },
        { "without an end", "never expires" },
        { "other audience", "audience" },
        { "other issuer", "issuer" },
        { "unsigned", "not signed" },
        { "alg none", "not signed" },
        { "alg nOnE with a signature", "not signed" },
        { "another key under the same id", "signature" },
        { "unknown key id", "key that is not known" },
        { "no key id", "key that is not known" },
        { "public key as secret", "token" },
        { "public key in PEM as secret", "token" },
        { "modulus as secret", "token" },
        { "claims to be the server's own", "token" },
        { "own by another secret", "signature" },
        { "embedded key", "key that is not known" },
        { "changed claims", "signature" },
        { "500 grants", "500 grants" },
        { "garbage", "cannot be read" },
        { "dots", "cannot be read" },
        { "five parts", "token" },
        { "not JSON", "cannot be read" },
        { "not UTF-8", "cannot be read" },
        { "deeply nested", "cannot be read" },
    };

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync(options =>
    {
        options.Security.AccessFile = _keys.Path;
        options.Security.Jwt.Authority = TestIssuer.Name;
        options.Security.Jwt.Audience = TestIssuer.Audience;
        options.Security.Jwt.KeysFile = _issuer.KeysFile;
    });

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _issuer.Dispose();
        _keys.Dispose();
    }

    [Fact]
    public async Task The_claims_of_a_token_are_its_permissions_over_every_transport()
    {
        var token = _issuer.Make(["put,take:orders.*", "listen:news"]);

        Assert.Equal(201, (await AskAsync("POST", "/q/orders.eu", token)).Status);
        Assert.Equal((403, "forbidden"), await ProblemAsync("POST", "/q/news", token));
        Assert.Equal((403, "forbidden"), await ProblemAsync("GET", "/sse/orders.eu", token));
        using var stream = await _server.Client.GetAsync($"/sse/news?access_token={token}", HttpCompletionOption.ResponseHeadersRead)
            .WithTimeout();
        Assert.Equal(200, (int)stream.StatusCode);
        using var socket = await _server.ConnectWithAsync("/ws", token);
        Assert.StartsWith("{\"ok\":true", await socket.AskAsync("""{"cmd":"put","queue":"orders.us","value":1}"""), StringComparison.Ordinal);
        Assert.Contains("forbidden", await socket.AskAsync("""{"cmd":"put","queue":"news","value":1}"""), StringComparison.Ordinal);
        await using var hub = new HubConnectionBuilder().WithPushQueue(_server.Address, token).Build();
        await hub.StartAsync().WithTimeout();
        await hub.InvokeAsync<object>("Put", "orders.hub", 1, null).WithTimeout();
        Assert.Equal(201, (await AskAsync("POST", "/q/other", _keys.Add(Permissions.Put), untilKnown: true)).Status);
    }

    [Fact]
    public async Task A_token_of_a_thousand_claims_is_read_and_only_its_grants_count()
    {
        var token = _issuer.Make(["put:orders"], static claims =>
        {
            for (var i = 0; i < 1000; i++)
            {
                claims[$"c{i}"] = i;
            }
        });

        Assert.Equal(201, (await AskAsync("POST", "/q/orders", token)).Status);
        Assert.Equal((403, "forbidden"), await ProblemAsync("GET", "/q/orders", token));
    }

    [Theory]
    [MemberData(nameof(BadTokens))]
    public async Task A_bad_token_is_refused_with_its_reason_over_every_transport_and_never_logged(string kind, string reason)
    {
        var token = _issuer.MakeBad(kind);

        foreach (var (method, path) in new[] { ("POST", "/q/test"), ("GET", "/sse/test"), ("GET", "/c/test"), ("POST", "/token") })
        {
            var answer = await AskAsync(method, path, token);
            Assert.Equal((401, "unauthorized"), (answer.Status, answer.Problem));
            Assert.Contains(reason, answer.Detail, StringComparison.Ordinal);
        }

        var inQuery = await _server.GetAsync($"/sse/test?access_token={Uri.EscapeDataString(token)}");
        Assert.Equal((401, "unauthorized"), (inQuery.Status, inQuery.Problem));
        Assert.Equal(401, await HandshakeAsync(_server, "/ws", token));
        Assert.Equal(401, await HandshakeAsync(_server, "/hub", token));
        await AssertRenewalsFailAsync(token, reason);
        Assert.DoesNotContain(_server.Log.Entries, entry => MentionsPart(entry, token));
    }

    [Theory]
    [InlineData("10,000 claims")]
    [InlineData("1 MB")]
    public async Task A_token_that_is_too_long_is_refused_by_its_length(string kind)
    {
        var token = _issuer.MakeBad(kind);

        Assert.StartsWith(
            "HTTP/1.1 431", await _server.SendFieldsAsync("/q/test", $"Authorization: Bearer {token}"), StringComparison.Ordinal);
        await AssertRenewalsFailAsync(token, "16384 characters");
    }

    [Fact]
    public async Task A_new_key_set_counts_soon_and_a_wrong_one_changes_nothing()
    {
        var (first, log) = (_issuer.Make(["put:*"]), _server.Log);
        Assert.Equal(201, (await AskAsync("POST", "/q/test", first)).Status);

        _issuer.WriteText("""{"keys":[{"kty":"oct","k":"AAAA"}]}""");
        await Eventually.TrueAsync(
            () => log.Entries.Any(static entry => entry.Text.Contains("'oct'", StringComparison.Ordinal)), "it is logged");
        Assert.Equal(201, (await AskAsync("POST", "/q/test", _issuer.Make(["put:*"]))).Status);
        _issuer.Rotate();

        await Eventually.TrueAsync(
            async () => (await AskAsync("POST", "/q/test", _issuer.Make(["put:*"]))).Status == 201, "the new key counts");
        using var fresh = new HttpClient { BaseAddress = _server.Address };
        fresh.DefaultRequestHeaders.Add("Authorization", $"Bearer {_issuer.Make(["put:*"], static claims => claims["iss"] = "x")}");
        Assert.Equal(401, (int)(await fresh.PostAsync("/q/test", new StringContent("x")).WithTimeout()).StatusCode);
    }

    [Theory]
    [InlineData("/ws/test")]
    [InlineData("/hub")]
    public async Task A_connection_ends_with_its_token_unless_a_newer_one_of_the_same_user_renews_it(string path)
    {
        static Action<Dictionary<string, object>> EndsIn(int seconds) =>
            claims => claims["exp"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + seconds;

        _server.Log.ExpectError("hub method 'Authenticate'"); // SignalR's own entry, which the host switches off
        using var left = await _server.ConnectWithAsync(path, _issuer.Make(["listen:*"], EndsIn(4)));
        using var renewed = await _server.ConnectWithAsync(path, _issuer.Make(["listen:*"], EndsIn(4)));
        var other = _issuer.Make(["listen:*"], static claims => claims["sub"] = "mallory");

        Assert.Contains("forbidden", await renewed.RenewAsync(path, other), StringComparison.Ordinal);
        Assert.Contains("\"expires\":", await renewed.RenewAsync(path, _issuer.Make(["listen:*"])), StringComparison.Ordinal);

        Assert.Contains(path == "/hub" ? "access-ended" : "4007", await left.EndAsync(), StringComparison.Ordinal);
        Assert.Contains("\"expires\":", await renewed.RenewAsync(path, _issuer.Make(["listen:*"])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "not a JSON Web Key Set")]
    [InlineData("""{"keys":[]}""", "0 keys")]
    [InlineData("""{"keys":[{"kty":"oct","k":"AAAA"}]}""", "'oct'")]
    public async Task A_wrong_key_set_at_the_start_is_one_sentence_that_names_the_file(string text, string reason)
    {
        _issuer.WriteText(text);

        var failure = await Assert.ThrowsAsync<PushQueueStartException>(() => PushQueueServer.StartAsync(options =>
        {
            options.Security.Jwt.Authority = TestIssuer.Name;
            options.Security.Jwt.Audience = TestIssuer.Audience;
            options.Security.Jwt.KeysFile = _issuer.KeysFile;
        }));

        Assert.Contains(_issuer.KeysFile, failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "queues", null, "--jwt-authority")]
    [InlineData("https://login.example", null, null, "--jwt-audience")]
    [InlineData("http://login.example", "queues", null, "https URL")]
    [InlineData("login", "queues", null, "https URL")]
    [InlineData(null, null, "keys.json", "--jwt-authority")]
    public void Options_that_would_accept_too_much_are_refused(string? authority, string? audience, string? keys, string names)
    {
        var options = new PushQueueOptions();
        (options.Security.Jwt.Authority, options.Security.Jwt.Audience, options.Security.Jwt.KeysFile) = (authority, audience, keys);

        Assert.Contains(names, Assert.Single(options.Validate()), StringComparison.Ordinal);
    }

    private static bool MentionsPart(LogEntry entry, string token) => token.Split('.').Where(static part => part.Length > 20).Any(
        part => entry.Text.Contains(part, StringComparison.Ordinal) && !TokenSockets.LogsOfTheFramework.Contains(entry.Category));

    private async Task AssertRenewalsFailAsync(string token, string reason)
    {
        var key = await AddAsync(Permissions.Any);
        using var socket = await _server.ConnectWithAsync("/ws", key);
        var answer = await socket.AskAsync($$"""{"cmd":"auth","token":"{{token}}","ref":7}""");
        Assert.StartsWith("{\"ref\":7,\"error\":\"unauthorized\"", answer, StringComparison.Ordinal);
        Assert.Contains(reason, answer, StringComparison.Ordinal);
        Assert.StartsWith("{\"ok\":true", await socket.AskAsync("""{"cmd":"put","queue":"test","value":1}"""), StringComparison.Ordinal);

        _server.Log.ExpectError("hub method 'Authenticate'"); // SignalR's own entry, which the host switches off
        await using var hub = new HubConnectionBuilder().WithPushQueue(_server.Address, key).Build();
        await hub.StartAsync().WithTimeout();
        var failure = await Assert.ThrowsAsync<HubException>(() => hub.InvokeAsync<object>("Authenticate", token).WithTimeout());
        Assert.Contains("unauthorized: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A key that is in force.</summary>
    private async Task<string> AddAsync(Permissions can)
    {
        var key = _keys.Add(can);
        var access = _server.Services.GetRequiredService<AccessControl>();
        await Eventually.TrueAsync(() => access.Find(key, out _) is not null, "the key counts");
        return key;
    }

    private static async Task<int> HandshakeAsync(PushQueueServer server, string path, string token)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.AddSubProtocol("pushqueue");
        socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        await Assert.ThrowsAsync<WebSocketException>(
            () => socket.ConnectAsync(new Uri($"ws://{server.Address.Authority}{path}"), CancellationToken.None).WithTimeout());
        return (int)socket.HttpStatusCode;
    }

    private async Task<(int Status, string Problem)> ProblemAsync(string method, string path, string token)
    {
        var answer = await AskAsync(method, path, token);
        return (answer.Status, answer.Problem);
    }

    private async Task<Answer> AskAsync(string method, string path, string token, bool untilKnown = false)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
            request.Content = method == "POST" && path != "/token" ? new StringContent("x") : null;
            var answer = await _server.SendAsync(request);
            if (!untilKnown || answer.Status != 401)
            {
                return answer;
            }
        }
    }
}
