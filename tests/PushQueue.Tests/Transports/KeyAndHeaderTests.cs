using System.Net;
using System.Text.Json;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Key and headers of a message over every way in and every way out.</summary>
public sealed class KeyAndHeaderTests : IAsyncLifetime
{
    private const string Key = "customer ü/%";

    private const string Expected = """{"a":"","tenant":"7","text":"ü %41 \u0022\u2028"}""";

    private PushQueueServer _server = null!;

    public static TheoryData<string> WaysIn =>
        ["put", "batch", "lines of a batch", "header fields of a batch", "command", "fields of a command", "values"];

    public static TheoryData<string> WaysOut =>
        ["/q/q", "/q/q?ttr=30", "/q/q/batch", "/q/q/batch?ttr=30", "/q/q/messages", "/q/q/messages/1", "/q/q/messages/1/body", "look",
            "take"];

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(WaysIn))]
    public async Task A_message_is_put_with_key_and_headers(string way)
    {
        Assert.InRange((await PutAsync(way)).Status, 200, 201);

        var message = (await _server.GetAsync("/q/q/messages")).Json.GetProperty("messages")[0];

        Assert.Equal(Key, message.GetProperty("key").GetString());
        AssertHeaders(message.GetProperty("headers"));
    }

    [Theory]
    [MemberData(nameof(WaysOut))]
    public async Task A_message_is_given_out_with_key_and_headers(string way)
    {
        await PutAsync("put");

        var answer = way.StartsWith('/')
            ? await _server.GetAsync(way)
            : await _server.PostAsync("/queue", $$"""{"cmd":"{{way}}","queue":"q"}""");

        Assert.Equal(200, answer.Status);
        if (answer.Text == "1")
        {
            Assert.Equal("customer %C3%BC/%25", answer.Headers["PushQueue-Key"]);
            Assert.Equal("7", answer.Headers["PushQueue-Header-tenant"]);
            Assert.Equal("", answer.Headers["PushQueue-Header-a"]);
            Assert.Equal("UTF-8''%C3%BC%20%2541%20%22%E2%80%A8", answer.Headers["PushQueue-Header-text"]);
            return;
        }

        var message = answer.Json.ValueKind == JsonValueKind.Array ? answer.Json[0]
            : answer.Json.TryGetProperty("messages", out var messages) ? messages[0]
            : answer.Json.TryGetProperty("message", out var one) ? one : answer.Json;
        Assert.Equal(Key, message.GetProperty("key").GetString());
        AssertHeaders(message.GetProperty("headers"));
    }

    [Fact]
    public async Task A_message_without_key_and_headers_is_given_out_as_ever()
    {
        await _server.PostAsync("/q/q", "1");

        var look = (await _server.GetAsync("/q/q/messages")).Text;
        var taken = await _server.GetAsync("/q/q");

        Assert.DoesNotContain("headers", look, StringComparison.Ordinal);
        Assert.DoesNotContain("key", look, StringComparison.Ordinal);
        Assert.DoesNotContain("PushQueue-Key", taken.Headers.Keys);
        Assert.DoesNotContain(taken.Headers.Keys, static name => name.StartsWith("PushQueue-Header-", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task The_envelopes_of_a_take_put_key_and_headers_again()
    {
        await PutAsync("put");
        var envelopes = (await _server.GetAsync("/q/q/batch")).Text;

        await _server.PostAsync("/q/q/batch?envelope=true", envelopes, "application/json");
        var again = (await _server.GetAsync("/q/q/batch")).Json[0];

        Assert.Equal(Key, again.GetProperty("key").GetString());
        AssertHeaders(again.GetProperty("headers"));
    }

    [Fact]
    public async Task The_header_fields_of_a_take_put_the_same_headers_again()
    {
        await PutAsync("put");
        var fields = (await _server.GetAsync("/q/q")).Headers
            .Where(static field => field.Key.StartsWith("PushQueue-Header-", StringComparison.OrdinalIgnoreCase))
            .Select(static field => $"{field.Key}: {field.Value}");

        Assert.StartsWith("HTTP/1.1 201", await _server.SendFieldsAsync("/q/q", [.. fields]), StringComparison.Ordinal);

        AssertHeaders((await _server.GetAsync("/q/q/messages")).Json.GetProperty("messages")[0].GetProperty("headers"));
    }

    [Fact]
    public async Task An_element_of_a_batch_has_the_headers_and_the_key_of_the_request_where_it_has_none()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/q/q/batch?envelope=true&key=all")
        {
            Content = new StringContent("""[{"body":1},{"body":2,"key":"own","headers":{"own":"1"}},{"body":3,"key":null,"headers":null}]"""),
        };
        request.Headers.Add("pushqueue-header-all", "1");

        Assert.Equal(201, (await _server.SendAsync(request)).Status);
        var taken = (await _server.GetAsync("/q/q/batch")).Json.EnumerateArray().ToList();

        Assert.Equal(["all", "own", "all"], taken.Select(static message => message.GetProperty("key").GetString()));
        Assert.Equal(
            ["""{"all":"1"}""", """{"own":"1"}""", """{"all":"1"}"""],
            taken.Select(static message => message.GetProperty("headers").GetRawText()));
    }

    [Fact]
    public async Task A_stream_gives_key_and_headers_out()
    {
        using var stream = await _server.Client.GetStreamAsync("/c/q").WithTimeout();
        using var reader = new StreamReader(stream);
        await PutAsync("put");

        string? line;
        do
        {
            line = await reader.ReadLineAsync().WithTimeout();
        }
        while (line is { } text && !text.Contains("\"id\"", StringComparison.Ordinal));

        var message = JsonDocument.Parse(line!).RootElement;
        Assert.Equal(Key, message.GetProperty("key").GetString());
        AssertHeaders(message.GetProperty("headers"));
    }

    [Fact]
    public async Task A_put_of_a_client_with_unusual_fields_still_finds_its_headers()
    {
        Assert.StartsWith(
            "HTTP/1.1 201",
            await _server.SendFieldsAsync(
                "/q/q", "X-Other: 1", "PUSHQUEUE-HEADER-A: 1", "User-Agent: x", "Accept: */*", "Expect: 100-continue"),
            StringComparison.Ordinal);

        Assert.Equal("1", (await _server.GetAsync("/q/q")).Headers["PushQueue-Header-a"]);
    }

    [Fact]
    public async Task A_value_in_utf_8_is_a_value()
    {
        // Each character of the test stands for one byte: C3 BC is ü.
        Assert.StartsWith(
            "HTTP/1.1 201", await _server.SendFieldsAsync("/q/q", "PushQueue-Header-A: \u00c3\u00bc"), StringComparison.Ordinal);

        Assert.Equal("ü", (await _server.GetAsync("/q/q/batch")).Json[0].GetProperty("headers").GetProperty("a").GetString());
    }

    [Theory]
    [InlineData("PushQueue-Header-A: \u00fc", "is not UTF-8")]
    [InlineData("PushQueue-Header-A: UTF-8''%zz", "RFC 8187")]
    [InlineData("PushQueue-Header-A: UTF-8''%ff", "RFC 8187")]
    [InlineData("PushQueue-Header-A: UTF-8''a%0Ab", "control characters")]
    [InlineData("PushQueue-Header-A: a\tb", "control characters")]
    [InlineData("PushQueue-Header-A: a\u007fb", "control characters")]
    [InlineData("PushQueue-Header-: 1", "1 to 64 characters")]
    [InlineData("PushQueue-Header-A!: 1", "letters a to z")]
    [InlineData("PushQueue-Header-A: 1\r\nPushQueue-Header-a: 2", "is given 2 times")]
    public async Task A_header_field_that_is_no_header_is_refused(string field, string sentence)
    {
        foreach (var target in (string[])["/q/q", "/q/q/batch", "/queue"])
        {
            var answer = await _server.SendFieldsAsync(target, field);

            Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
            Assert.Contains("\"type\":\"bad-option\"", answer, StringComparison.Ordinal);
            Assert.Contains(sentence, answer, StringComparison.Ordinal);
        }

        Assert.Equal(0, (await _server.GetAsync("/q")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Too_many_and_too_large_header_fields_are_refused()
    {
        string[] many = [.. Enumerable.Range(0, 33).Select(static i => $"PushQueue-Header-H{i}: v")];

        Assert.Contains("at most 32 headers", await _server.SendFieldsAsync("/q/q", many), StringComparison.Ordinal);
        Assert.Contains(
            "at most 4096 bytes", await _server.SendFieldsAsync("/q/q", "PushQueue-Header-A: " + new string('v', 4096)),
                StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 201", await _server.SendFieldsAsync("/q/q", many[1..]), StringComparison.Ordinal);
        Assert.StartsWith(
            "HTTP/1.1 201", await _server.SendFieldsAsync("/q/q", "PushQueue-Header-A: " + new string('v', 4095)),
                StringComparison.Ordinal);
    }

    public static TheoryData<string, string> BadFields => new()
    {
        { """ "key":"" """, "key" },
        { """ "key":"a\nb" """, "key" },
        { $"\"key\":\"{new string('k', 256)}\"", "key" },
        { """ "key":["a"]""", "key" },
        { """ "key":"\ud83d" """, "key" },
        { """ "key":"a","key":"b" """, "key" },
        { """ "headers":"a=1" """, "headers" },
        { """ "headers":[1]""", "headers" },
        { """ "headers":{"a":{}}""", "'a'" },
        { """ "headers":{"a":["x"]}""", "'a'" },
        { """ "headers":{"a b":"x"}""", "a b" },
        { """ "headers":{"":"x"}""", "1 to 64" },
        { """ "headers":{"a\n":"x"}""", "letters" },
        { """ "headers":{"a":"x\r\ny"}""", "control" },
        { """ "headers":{"a":"\ud83d"}""", "Unicode" },
        { """ "headers":{"a":"1","A":"2"}""", "twice" },
        { """ "headers":{"a":"1","a":"2"}""", "twice" },
        { $"\"headers\":{{\"a\":\"{new string('v', 4096)}\"}}", "4096" },
        { $"\"headers\":{{{string.Join(',', Enumerable.Range(0, 33).Select(static i => $"\"h{i}\":\"v\""))}}}", "32" },
    };

    [Theory]
    [MemberData(nameof(BadFields))]
    public async Task A_field_that_is_no_key_and_no_headers_is_refused_everywhere(string field, string named)
    {
        Answer[] answers =
        [
            await _server.PostAsync("/q/q/batch?envelope=true", $$"""{"body":0}{{'\n'}}{"body":1,{{field}}}"""),
            await _server.PostAsync("/queue", $$"""{"cmd":"put","queue":"q","value":1,{{field}}}"""),
            await _server.PostAsync("/queue", $$"""{"cmd":"put","queue":"q","values":[1],{{field}}}"""),
        ];

        Assert.All(answers, answer =>
        {
            Assert.Equal(400, answer.Status);
            Assert.Contains(named, answer.Text, StringComparison.Ordinal);
        });
        Assert.Equal(0, (await _server.GetAsync("/q")).Json.GetProperty("total").GetInt32());
    }

    [Theory]
    [InlineData("key=")]
    [InlineData("key=a%0Ab")]
    [InlineData("key=a&key=b")]
    [InlineData("key=%ff")]
    [InlineData("headers=a")]
    public async Task A_query_that_gives_no_key_is_refused(string query)
    {
        Assert.Equal("bad-option", (await _server.PostAsync($"/q/q?{query}", "1")).Problem);
        Assert.Equal("bad-option", (await _server.PostAsync($"/q/q/batch?{query}", "1")).Problem);
        Assert.Equal(0, (await _server.GetAsync("/q")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task A_key_has_255_bytes_and_no_more()
    {
        Assert.Equal(201, (await _server.PostAsync("/q/q?key=" + new string('k', 255), "1")).Status);
        Assert.Equal("bad-option", (await _server.PostAsync("/q/q?key=" + new string('k', 256), "1")).Problem);
        Assert.Equal("bad-option", (await _server.PostAsync("/q/q?key=" + string.Concat(Enumerable.Repeat("%C3%BC", 128)), "1")).Problem);
    }

    private static void AssertHeaders(JsonElement headers) => Assert.Equal(
        JsonSerializer.Deserialize<SortedDictionary<string, string>>(Expected), headers.Deserialize<SortedDictionary<string, string>>());

    private async Task<Answer> PutAsync(string way)
    {
        var (path, body, fields) = way switch
        {
            "put" => ("/q/q?key=" + WebUtility.UrlEncode(Key), "1", true),
            "batch" => ("/q/q/batch?envelope=true", $$"""[{"body":1,"key":"{{Key}}","headers":{{Expected}}}]""", false),
            "lines of a batch" => ("/q/q/batch?envelope=true", $$"""{"headers":{"A":"","Tenant":7,"text":"ü %41 \"\u2028"},"key":"{{Key}}","body":1}""", false),
            "header fields of a batch" => ("/q/q/batch?key=" + WebUtility.UrlEncode(Key), "1", true),
            "command" => ("/queue", $$"""{"cmd":"put","queue":"q","headers":{{Expected}},"value":1,"key":"{{Key}}"}""", false),
            "fields of a command" => ("/queue", $$"""{"cmd":"put","queue":"q","value":1,"key":"{{Key}}"}""", true),
            _ => ("/queue", $$"""{"cmd":"put","queue":"q","values":[1,2],"key":"{{Key}}","headers":{{Expected}}}""", false),
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        if (fields)
        {
            request.Headers.Add("PushQueue-Header-Tenant", "7");
            request.Headers.Add("PushQueue-Header-A", "");
            request.Headers.Add("PushQueue-Header-Text", "utf-8''%C3%BC%20%2541%20%22%E2%80%A8");
        }

        return await _server.SendAsync(request);
    }
}
