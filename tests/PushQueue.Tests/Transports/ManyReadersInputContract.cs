using System.Net;
using System.Text.Json;
using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>
/// Hostile input of keys, headers, filters, subscriptions and streams over many queues: each is refused with one sentence, and nothing has
/// changed behind it.
/// </summary>
public abstract class ManyReadersInputContract : IAsyncLifetime
{
    private const string Settings = "/q/billing/settings";

    private PushQueueServer _server = null!;

    public static TheoryData<string, string, string?> BadRequests
    {
        get
        {
            var requests = new TheoryData<string, string, string?>();
            foreach (var path in (string[])["/q/orders", "/q/orders/batch"])
            {
                foreach (var query in BadKeys)
                {
                    requests.Add("POST", $"{path}?{query}", "1");
                }
            }

            foreach (var tag in BadFields)
            {
                requests.Add("POST", "/q/orders/batch?envelope=true", $$"""{"body":"fine"}{{"\n"}}{"body":"x",{{tag}}}""");
                requests.Add("POST", "/queue", $$"""{"cmd":"put","queue":"orders","value":1,{{tag}}}""");
            }

            foreach (var path in (string[])[
                "/q/orders?", "/q/orders/batch?", "/q/orders?ttr=30&", "/c/orders?", "/sse/orders?from=earliest&"])
            {
                foreach (var filter in BadFilters)
                {
                    requests.Add("GET", $"{path}{filter}", null);
                }
            }

            foreach (var subscriptions in BadSubscriptions)
            {
                requests.Add("PATCH", Settings, $$"""{"maxAttempts":9,"subscriptions":{{subscriptions}}}""");
            }

            foreach (var setting in BadKeySettings)
            {
                requests.Add("PATCH", Settings, $$"""{"maxAttempts":9,{{setting}}}""");
            }

            foreach (var query in BadPlaces)
            {
                requests.Add("GET", query, null);
            }

            return requests;
        }
    }

    private static string[] BadKeys =>
        ["key=", "key=a%0Ab", "key=a%00b", "key=%ff", "key=a&key=b", $"key={new string('k', 256)}", $"key={Repeated("%C3%BC", 128)}"];

    private static string[] BadFields =>
    [
        """ "key":"" """,
        """ "key":[7]""",
        """ "key":"a\u0000b" """,
        """ "key":"\ud800" """,
        $"\"key\":\"{new string('k', 256)}\"",
        """ "headers":{"a\nb":"1"}""",
        """ "headers":{"a":"1\n"}""",
        """ "headers":{"a":"1","A":"2"}""",
        """ "headers":{"a":[]}""",
        $"\"headers\":{{\"{new string('n', 65)}\":\"1\"}}",
        $"\"headers\":{{\"a\":\"{new string('v', 4096)}\"}}",
        $"\"headers\":{{{string.Join(',', Enumerable.Range(0, 33).Select(static i => $"\"h{i}\":\"v\""))}}}",
    ];

    private static string[] BadFilters =>
    [
        "where=", "where=%3D7", "where=a%20b=7", "where=a%00=7", "where=%ff=7", "where=a=%ff", $"where={new string('n', 65)}=7",
        $"where=a={new string('v', 5000)}", string.Join('&', Enumerable.Repeat("where=a=7", 100)),
    ];

    private static string[] BadSubscriptions =>
    [
        "7", "\"orders\"", "{}", "[7]", "[null]", "[[]]", "[{}]", "[\"\"]", "[\"a/b\"]", "[\"a\\nb\"]", "[\"\\ud800\"]", "[\"billing\"]",
        "[\"orders.dead\"]", $"[\"{new string('q', 256)}\"]", "[{\"to\":\"orders\",\"where\":{\"a b\":\"7\"}}]",
        "[{\"to\":\"orders\",\"where\":[[]]}]", "[{\"to\":7}]", "[{\"to\":\"orders\",\"from\":\"first\"}]",
        "[{\"to\":\"orders\",\"from\":7}]", "[{\"to\":\"orders\",\"from\":\"latest\",\"from\":\"earliest\"}]",
        "[{\"from\":\"earliest\"}]", "[{\"to\":\"orders\",\"to\":\"audit\"}]",
        JsonSerializer.Serialize(Enumerable.Range(0, 101).Select(static i => $"q{i}")),
        JsonSerializer.Serialize(Enumerable.Range(0, 10_000).Select(static i => $"q{i}.*")),
    ];

    private static string[] BadKeySettings =>
    [
        "\"keyInFlight\":-1", "\"keyInFlight\":1000001", "\"keyInFlight\":1.5", "\"keyInFlight\":\"many\"", "\"fair\":\"perhaps\"",
        "\"fair\":7", "\"history\":{\"perKey\":7}", "\"history\":{\"perkey\":true}",
    ];

    private static string[] BadPlaces =>
    [
        "/q/orders/keys?limit=0", "/q/orders/keys?limit=1001", "/q/orders/keys?after=%ff",
        "/q/orders/keys?key=a", "/c/orders?from=-", "/c/orders?from=-0x1", $"/c/orders?from=-{new string('9', 30)}",
        "/c/orders?from=latest-per-keys", "/c?queue=orders&from=-0", "/c?queue=orders&from=latest-per-key", "/c?queue=orders&from=1",
        $"/c?{string.Join('&', Enumerable.Range(0, 21).Select(static i => $"match=m{i}.*"))}", "/sse?queue=orders.dead/x",
        "/c?queue=%ff", "/sse?match=%ff*",
        $"/c?queue=orders&from={new string('A', 4000)}", $"/c?queue=orders&lastEventId={new string('_', 4000)}",
    ];

    public async ValueTask InitializeAsync()
    {
        _server = await StartAsync();
        await _server.SendAsync("PATCH", Settings, """{"policy":"roundrobin","subscriptions":["orders"]}""");
        await _server.PostAsync("/q/orders?key=a", "kept");
        await Eventually.TrueAsync(
            async () => (await _server.GetAsync("/j/orders")).Json.GetProperty("history").GetInt32() == 1, "in history");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private protected abstract Task<PushQueueServer> StartAsync();

    [Fact]
    public async Task Input_that_is_wrong_is_refused_with_a_sentence_and_nothing_has_changed()
    {
        var before = await StateAsync();
        var wrong = new List<string>();
        foreach (var (method, path, body) in BadRequests.Select(static row => row.Data))
        {
            if (await SendAsync(method, path, body) is not { } answer)
            {
                wrong.Add($"{method} {Start(path)} {Start(body)}: accepted");
            }
            else if (answer.Status is < 400 or >= 500 || !IsSentence(answer))
            {
                wrong.Add($"{method} {Start(path)} {Start(body)}: {answer.Status} {Start(answer.Text)}");
            }
            else if (await StateAsync() is var after && after != before)
            {
                wrong.Add($"{method} {Start(path)} {Start(body)} changed something: {after}");
                before = after;
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal("kept", (await _server.GetAsync("/q/billing")).Text);
    }

    [Theory]
    [InlineData("PushQueue-Header-A: \u00fc")]
    [InlineData("PushQueue-Header-A: 1\r\nPushQueue-Header-a: 2")]
    [InlineData("PushQueue-Header-A b: 1")]
    [InlineData("PushQueue-Header-A: a\u0000b")]
    [InlineData("PushQueue-Header-A: a\rb")]
    public async Task A_header_field_that_is_wrong_is_refused_and_stores_no_copy(string field)
    {
        var before = await StateAsync();

        var answer = await _server.SendFieldsAsync("/q/orders", field);

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task More_header_fields_than_a_message_may_have_store_no_copy()
    {
        var before = await StateAsync();

        var answer = await _server.SendFieldsAsync(
            "/q/orders", [.. Enumerable.Range(0, 33).Select(static i => $"PushQueue-Header-H{i}: v")]);

        Assert.Contains("at most 32 headers", answer, StringComparison.Ordinal);
        Assert.Equal(before, await StateAsync());
    }

    [Theory]
    [InlineData("sse")]
    [InlineData("c")]
    public async Task A_cursor_that_is_changed_at_any_place_is_refused_or_stands_at_places_that_exist(string transport)
    {
        const string Query = "queue=orders&queue=other";
        string cursor;
        await using (var stream = await ManyStream.OpenAsync(_server, transport, Query))
        {
            cursor = stream.Cursor!;
        }

        for (var at = 0; at < cursor.Length; at++)
        {
            var forged = cursor[..at] + (cursor[at] == 'x' ? 'y' : 'x') + cursor[(at + 1)..];
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/{transport}?{Query}&from={forged}");
            using var answer = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();

            Assert.True(answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.OK, $"{at} of {cursor}: {answer.StatusCode}");
        }
    }

    [Theory]
    [InlineData("/c?queue=orders&from=")]
    [InlineData("/sse?match=*&lastEventId=")]
    [InlineData("/q/orders/keys?after=")]
    [InlineData("/q/orders?where=a=")]
    public async Task A_megabyte_in_the_address_is_refused_and_the_server_serves_on(string path)
    {
        using var client = new HttpClient { BaseAddress = _server.Address };
        try
        {
            using var answer = await client.GetAsync(path + new string('A', 1024 * 1024)).WithTimeout();
            Assert.InRange((int)answer.StatusCode, 400, 499);
        }
        catch (HttpRequestException)
        {
            // The server answers before it has read so long a line, and the client may see the end of the connection first.
        }

        Assert.Equal(200, (await _server.GetAsync("/q")).Status);
    }

    /// <summary>The answer to a request; null where it succeeded, because a stream does not end.</summary>
    private async Task<Answer?> SendAsync(string method, string path, string? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = body is null ? null : new StringContent(body);
        using var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        return response.IsSuccessStatusCode ? null : await Answer.ReadAsync(response);
    }

    private static bool IsSentence(Answer answer)
    {
        // A refused command over HTTP names its problem in "error", everything else in "type".
        var detail = answer.Text.StartsWith('{') && answer.Json.TryGetProperty("detail", out var text) ? text.GetString()! : "";
        return detail.Length is > 10 and < 1000 && !detail.Contains("   at ", StringComparison.Ordinal)
            && !detail.Contains("Exception", StringComparison.Ordinal);
    }

    private static string Start(string? text) => text is { Length: > 120 } ? $"{text[..120]}… ({text.Length})" : text ?? "";

    private static string Repeated(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    /// <summary>All that a refused request could have changed: queues, their counts and the settings.</summary>
    private async Task<string> StateAsync()
    {
        var queues = (await _server.GetAsync("/q")).Json.GetProperty("queues").EnumerateArray().Select(static queue =>
            $"{queue.GetProperty("queue")}: {queue.GetProperty("policy")} {queue.GetProperty("ready")} {queue.GetProperty("leased")} "
                + $"{queue.GetProperty("history")} {queue.GetProperty("nextOffset")}");
        return string.Join("; ", queues) + (await _server.GetAsync(Settings)).Text;
    }
}

public sealed class ManyReadersInputTests : ManyReadersInputContract
{
    private protected override Task<PushQueueServer> StartAsync() => PushQueueServer.StartAsync();
}

public sealed class ManyReadersInputOverRedisTests(SharedRedis redis) : ManyReadersInputContract
{
    private protected override async Task<PushQueueServer> StartAsync()
    {
        var store = await redis.OptionsAsync();
        return await PushQueueServer.StartAsync(options =>
        {
            options.Storage.Redis = store.Configuration;
            options.Storage.RedisKeyPrefix = store.KeyPrefix;
        });
    }
}
