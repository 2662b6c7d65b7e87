using System.Text.Json;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Consumers whose connection breaks: only work that is known to be begun counts as a failed attempt.</summary>
public sealed class UnfinishedWorkTests : IAsyncLifetime
{
    private const string Options = "ack=manual&prefetch=16";

    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PushQueueServer.StartAsync();
        await _server.SendAsync("PATCH", "/q/test/settings", """{"policy":"roundrobin","maxAttempts":5}""");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("/c/test")]
    [InlineData("/sse/test")]
    [InlineData("/ws/test")]
    public async Task A_client_that_connects_and_goes_dead_letters_nothing_that_waits_behind_the_first(string path)
    {
        await PutAsync(16);
        for (var i = 0; i < 5; i++)
        {
            await using (await ReadingAsync(path + "?" + Options, messages: 16))
            {
                Assert.Equal(16, await CountAsync("leased"));
            }

            await NothingIsLeasedAsync();
        }

        Assert.Equal(15, await CountAsync("ready"));
        Assert.Equal(
            "1",
            (await _server.GetAsync("/q/test.dead/batch?count=16&ttr=1m")).Json.EnumerateArray().Single().GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("/c/test")]
    [InlineData("/sse/test")]
    [InlineData("/ws/test")]
    public async Task What_came_before_an_acked_message_was_begun(string path)
    {
        await PutAsync(5);
        await using (var stream = await ReadingAsync(path + "?" + Options, messages: 5))
        {
            var third = stream.Messages[2];
            var ack = $"/q/test/messages/{third.GetProperty("id").GetString()}/ack?receipt={third.GetProperty("receipt").GetString()}";
            Assert.Equal(204, (await _server.PostAsync(ack)).Status);
        }

        await NothingIsLeasedAsync();

        Assert.Equal([("1", 2), ("2", 2), ("4", 1), ("5", 1)], await AttemptsAsync());
    }

    [Fact]
    public async Task A_manual_consumer_without_prefetch_gets_one_message_at_a_time_and_the_rest_goes_to_others()
    {
        await PutAsync(4);
        await using var slow = await ReadingAsync("/c/test?ack=manual", messages: 1);

        await using var fast = await ReadingAsync("/c/test?" + Options, messages: 3);

        Assert.Equal(["2", "3", "4"], fast.Messages.Select(message => message.GetProperty("id").GetString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_server_that_stops_counts_nothing()
    {
        using var folder = new TemporaryDirectory();
        await using (var server = await PushQueueServer.StartAsync(options => options.Storage.DataDirectory = folder.Path))
        {
            await server.SendAsync("PATCH", "/q/test/settings", """{"policy":"roundrobin"}""");
            await server.PostAsync("/q/test/batch", "1\n2\n", "application/x-ndjson");
            using var answer = await server.Client.GetAsync("/c/test?" + Options, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
            using var stream = new StreamLines(await answer.Content.ReadAsStreamAsync());
            _ = await stream.NextLineAsync();
            await server.StopAsync();
        }

        await using var next = await PushQueueServer.StartAsync(options => options.Storage.DataDirectory = folder.Path);

        Assert.Equal([("1", 1), ("2", 1)], Attempts(await next.GetAsync("/q/test/batch?count=9&ttr=1m")));
    }

    private Task<Answer> PutAsync(int count) =>
        _server.PostAsync("/q/test/batch", string.Concat(Enumerable.Range(1, count).Select(static i => $"{i}\n")), "application/x-ndjson");

    private async Task<List<(string? Id, int Attempt)>> AttemptsAsync() =>
        Attempts(await _server.GetAsync("/q/test/batch?count=16&ttr=1m"));

    private static List<(string? Id, int Attempt)> Attempts(Answer leases) => [.. leases.Json.EnumerateArray()
        .Select(static lease => (lease.GetProperty("id").GetString(), lease.GetProperty("attempt").GetInt32()))
        .OrderBy(static lease => lease.Item1, StringComparer.Ordinal)];

    private async Task<int> CountAsync(string state) => (await _server.GetAsync("/j/test")).Json.GetProperty(state).GetInt32();

    private Task NothingIsLeasedAsync() => Eventually.TrueAsync(async () => await CountAsync("leased") == 0, "the messages are given back");

    /// <summary>A consumer that has read so many messages.</summary>
    private async Task<Reading> ReadingAsync(string path, int messages)
    {
        var reading = new Reading();
        if (path.StartsWith("/ws", StringComparison.Ordinal))
        {
            var socket = new System.Net.WebSockets.ClientWebSocket();
            reading.Own(socket);
            await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
            while (reading.Messages.Count < messages)
            {
                reading.Add(await socket.NextAsync());
            }

            return reading;
        }

        var answer = await _server.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        reading.Own(answer);
        var stream = new StreamLines(await answer.Content.ReadAsStreamAsync());
        while (reading.Messages.Count < messages)
        {
            reading.Add((await stream.NextLineAsync()).Replace("data: ", string.Empty, StringComparison.Ordinal));
        }

        return reading;
    }

    private sealed class Reading : IAsyncDisposable
    {
        private IDisposable? _connection;

        public List<JsonElement> Messages { get; } = [];

        public void Own(IDisposable connection) => _connection = connection;

        public void Add(string line)
        {
            if (line.StartsWith("{\"queue\"", StringComparison.Ordinal))
            {
                Messages.Add(JsonDocument.Parse(line).RootElement);
            }
        }

        /// <summary>Drops the connection without a word.</summary>
        public ValueTask DisposeAsync()
        {
            _connection?.Dispose();
            return default;
        }
    }
}
