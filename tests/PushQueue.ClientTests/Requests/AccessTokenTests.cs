using System.Net.Http.Headers;
using System.Text.Json;
using PushQueue.Client;
using PushQueue.ClientTests.Streaming;
using PushQueue.ClientTests.Support;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Requests;

/// <summary>Tokens that a server makes for a key, and a client that asks its provider for them.</summary>
public sealed class AccessTokenTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private readonly HttpClient _http = new();
    private string _key = "";
    private ServerProcess _server = null!;

    public static TheoryData<ConsumeTransport> Transports => ResumeTests.Transports;

    public async ValueTask InitializeAsync()
    {
        (_key, var entry) = await AccessRuleTests.NewKeyAsync("backend", "*", "put,take,listen,manage");
        var file = Path.Combine(_folder.Path, "access.json");
        await File.WriteAllTextAsync(file, $$"""{"keys":[{{entry}}]}""");
        _server = await ServerProcess.StartAsync(Path.Combine(_folder.Path, "data"), "--auth", file);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
        _folder.Dispose();
        UnobservedExceptions.AssertNone();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_stream_outlives_its_tokens_and_loses_nothing(ConsumeTransport transport)
    {
        var (asked, breaks) = (0, 0);
        using var client = Client(cancellationToken =>
        {
            Interlocked.Increment(ref asked);
            return MakeAsync("8s", cancellationToken);
        });
        var stream = client.ConsumeAsync("news", new ConsumeOptions { Transport = transport });
        stream.Reconnecting += _ => Interlocked.Increment(ref breaks);
        var reading = ReadToAsync(stream, "last");

        // Each call comes when most of a token's life is over, so after these the first one has ended.
        for (var i = 0; i < 3; i++)
        {
            await Waiting.UntilAsync(() => Volatile.Read(ref asked) > i, "another token is asked for");
            await client.PutAsync("news", $"{i}").WithTimeout();
        }

        await client.PutAsync("news", "last").WithTimeout();

        Assert.Equal("last", (await reading.WithTimeout())[^1]);
        Assert.True(transport is not (ConsumeTransport.WebSocket or ConsumeTransport.SignalR) || breaks == 0, $"It broke {breaks} times.");
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_refused_token_is_replaced_once(ConsumeTransport transport)
    {
        var tokens = new Queue<string?>(["nonsense.a.b", await MakeAsync("1m", default)]);
        using var client = Client(_ => Task.FromResult(tokens.Dequeue()));
        using var refused = Client(static _ => Task.FromResult<string?>("nonsense.a.b"));

        await client.PutAsync("kept", "1").WithTimeout();
        Assert.Equal(["1"], await ReadToAsync(
            client.ConsumeAsync("kept", new ConsumeOptions { Transport = transport, From = "earliest" }), "1").WithTimeout());

        var error = await Assert.ThrowsAsync<PushQueueException>(() => refused.PutAsync("kept", "1")).WithTimeout();
        Assert.Equal(ProblemTypes.Unauthorized, error.Type);
        error = await Assert.ThrowsAsync<PushQueueException>(
            () => ReadToAsync(refused.ConsumeAsync("kept", new ConsumeOptions { Transport = transport }), "1")).WithTimeout();
        Assert.Equal(ProblemTypes.Unauthorized, error.Type);
    }

    private static async Task<List<string>> ReadToAsync(MessageStream stream, string last)
    {
        var bodies = new List<string>();
        await foreach (var message in stream)
        {
            bodies.Add(message.Text);
            if (bodies[^1] == last)
            {
                break;
            }
        }

        return bodies;
    }

    private PushQueueClient Client(Func<CancellationToken, Task<string?>> provider)
    {
        var options = new PushQueueClientOptions { Server = _server.Address, AccessTokenProvider = provider };
        options.Reconnect.FirstDelay = TimeSpan.FromMilliseconds(20);
        options.Reconnect.LongestDelay = TimeSpan.FromMilliseconds(200);
        return new PushQueueClient(options);
    }

    private async Task<string?> MakeAsync(string expires, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_server.Address, "token"))
        {
            Content = new StringContent($$"""{"expires":"{{expires}}"}"""),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        using var response = await _http.SendAsync(request, cancellationToken);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        return json.RootElement.GetProperty("token").GetString();
    }
}
