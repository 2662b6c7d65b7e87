using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
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

    [Theory]
    [InlineData(ConsumeTransport.WebSocket)]
    [InlineData(ConsumeTransport.SignalR)]
    public async Task A_refused_renewal_is_tried_again_before_the_old_token_ends(ConsumeTransport transport)
    {
        var asked = 0;
        await using var stream = new StreamUnderTest(Client(async cancellationToken =>
            Interlocked.Increment(ref asked) == 2 ? Forged() : await MakeAsync("16s", cancellationToken)), transport);

        // The third comes before the first has ended, the fourth long after that.
        await Waiting.UntilAsync(() => Volatile.Read(ref asked) >= 4, "more tokens are asked for");
        await stream.AssertUnbrokenAsync();
    }

    [Theory]
    [InlineData(ConsumeTransport.WebSocket)]
    [InlineData(ConsumeTransport.SignalR)]
    public async Task A_stream_whose_client_has_no_token_for_a_moment_still_renews_its_own(ConsumeTransport transport)
    {
        var asked = 0;
        var first = await MakeAsync("8s", default);
        await using var stream = new StreamUnderTest(Client(async cancellationToken => Interlocked.Increment(ref asked) switch
        {
            1 => first,
            2 => throw new InvalidOperationException("The backend is away."),
            _ => await MakeAsync("8s", cancellationToken),
        }), transport);
        await stream.StandsAsync();

        stream.Client.Http.Tokens.Refused(first);

        await Waiting.UntilAsync(() => Volatile.Read(ref asked) >= 5, "more tokens are asked for");
        await stream.AssertUnbrokenAsync();
    }

    [Theory]
    [InlineData(ConsumeTransport.WebSocket)]
    [InlineData(ConsumeTransport.SignalR)]
    public async Task A_provider_that_fails_when_it_is_cancelled_does_not_hide_how_the_stream_ends(ConsumeTransport transport)
    {
        var (asked, breaks) = (0, 0);
        var asksAgain = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var client = Client(async cancellationToken =>
        {
            if (Interlocked.Increment(ref asked) == 1)
            {
                return await MakeAsync("8s", cancellationToken);
            }

            asksAgain.TrySetResult();
            var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = cancellationToken.Register(cancelled.SetResult);
            await cancelled.Task;
            throw new InvalidOperationException("The request was given up.");
        });
        using var admin = new PushQueueClient(new PushQueueClientOptions { Server = _server.Address, Key = _key });
        await admin.PutAsync("gone", "1").WithTimeout();
        var stream = client.ConsumeAsync("gone", new ConsumeOptions { Transport = transport, From = "earliest" });
        stream.Reconnecting += _ => Interlocked.Increment(ref breaks);
        var reading = ReadToAsync(stream, "none");
        await asksAgain.Task.WithTimeout();

        await admin.DeleteQueueAsync("gone").WithTimeout();

        // A stream that took the failure of the provider for a broken connection would connect again and never end.
        Assert.Equal(["1"], await reading.WithTimeout());
        Assert.Equal(0, Volatile.Read(ref breaks));
    }

    [Fact]
    public async Task A_token_that_was_refused_twice_does_not_take_the_next_one_with_it()
    {
        var asked = 0;
        using var client = Client(_ => Task.FromResult<string?>($"token {++asked}"));
        var tokens = client.Http.Tokens;
        var refused = await tokens.GetAsync(default);

        tokens.Refused(refused);
        var next = await tokens.GetAsync(default);
        tokens.Refused(refused);

        Assert.Equal(next, await tokens.GetAsync(default));
        Assert.Equal(2, asked);
    }

    /// <summary>A token of an hour that no server has signed.</summary>
    private static string Forged()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"iat":{{now}},"exp":{{now + 3600}}}"""));
        return $"e30.{claims.TrimEnd('=').Replace('+', '-').Replace('/', '_')}.e30";
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

    /// <summary>A stream of a queue that is read all the time, and how often its connection broke.</summary>
    private sealed class StreamUnderTest : IAsyncDisposable
    {
        private readonly Task<List<string>> _reading;
        private readonly CancellationTokenSource _over = new();
        private readonly ConcurrentQueue<string> _breaks = new();
        private int _got;

        public StreamUnderTest(PushQueueClient client, ConsumeTransport transport)
        {
            Client = client;
            var stream = client.ConsumeAsync("renewed", new ConsumeOptions { Transport = transport, From = "earliest" }, _over.Token);
            stream.Reconnecting += told => _breaks.Enqueue(told.ToString()!);
            _reading = ReadAsync(stream);
        }

        public PushQueueClient Client { get; }

        public async Task StandsAsync()
        {
            await Client.PutAsync("renewed", "first").WithTimeout();
            await Waiting.UntilAsync(() => Volatile.Read(ref _got) > 0, "the stream stands");
        }

        public async Task AssertUnbrokenAsync()
        {
            await Client.PutAsync("renewed", "last").WithTimeout();
            Assert.Equal("last", (await _reading.WithTimeout())[^1]);
            Assert.Empty(_breaks);
        }

        public async ValueTask DisposeAsync()
        {
            await _over.CancelAsync();
            await ((Task)_reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _over.Dispose();
            Client.Dispose();
        }

        private async Task<List<string>> ReadAsync(MessageStream stream)
        {
            var bodies = new List<string>();
            await foreach (var message in stream)
            {
                bodies.Add(message.Text);
                Interlocked.Increment(ref _got);
                if (bodies[^1] == "last")
                {
                    break;
                }
            }

            return bodies;
        }
    }
}
