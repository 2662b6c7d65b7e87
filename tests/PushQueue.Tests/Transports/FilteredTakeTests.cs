using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>The option <c>where</c> of takes and leases, in a query and in a command.</summary>
public sealed class FilteredTakeTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public static TheoryData<string> Ways =>
    [
        "/q/q?where=t=2", "/q/q?where=t%3D2&where=region", "/q/q?ttr=30&where=T=2|3", "/q/q/batch?where=t=2", "/q/q/batch?ttr=30&where=t=2",
        """{"cmd":"take","queue":"q","where":"t=2"}""", """{"cmd":"take","queue":"q","where":["t=2","region"]}""",
        """{"cmd":"take","queue":"q","where":{"t":2,"region":true}}""", """{"cmd":"lease","queue":"q","ttr":30,"where":{"t":"2|3"}}""",
        """{"cmd":"lease","queue":"q","count":5,"where":{"t":"2"},"ref":1}""",
    ];

    public static TheoryData<string> BadConditions =>
        ["", "=1", "a b=1", "t=a%0Ab", "t=1&where=t=2", new string('a', 65), "a=" + new string('v', 4096)];

    public static TheoryData<string> BadFields =>
        ["7", "true", "[1]", "[[\"a\"]]", "{\"a\":{}}", "{\"a\":false}", "{\"a b\":\"1\"}", "{\"a=1\":\"2\"}", "\"\"", "[\"a\",\"A\"]",
            "\"\\ud83d\"", "{\"a\":\"1\",\"a\":\"2\"}"];

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Only_the_message_that_matches_is_given_out(string way)
    {
        await PutAsync("""{"body":"one","headers":{"t":"1"}}""", """{"body":"plain"}""", """{"body":"two","headers":{"t":"2","region":"eu"}}""");

        var answer = way.StartsWith('/') ? await _server.GetAsync(way) : await _server.PostAsync("/queue", way);
        var rest = (await _server.GetAsync("/q/q/batch")).Json.EnumerateArray()
            .Select(static message => message.GetProperty("body").GetString());

        Assert.Equal(200, answer.Status);
        Assert.Contains("two", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("one", answer.Text, StringComparison.Ordinal);
        Assert.Equal(["one", "plain"], rest);
    }

    [Theory]
    [InlineData("/q/q?where=t=9", 204)]
    [InlineData("/q/q?where=t&where=other", 204)]
    [InlineData("/q/q/batch?where=t=9", 200)]
    public async Task Nothing_is_given_out_where_nothing_matches(string path, int status)
    {
        await PutAsync("""{"body":"one","headers":{"t":"1"}}""");

        var answer = await _server.GetAsync(path);

        Assert.Equal(status, answer.Status);
        Assert.Contains(answer.Text, (string[])["", "[]"]);
    }

    [Fact]
    public async Task A_take_that_waits_gets_the_first_message_that_matches()
    {
        await PutAsync("""{"body":"one","headers":{"t":"1"}}""");
        var waiting = _server.GetAsync("/q/q?wait=30&where=t=2");
        var command = _server.PostAsync("/queue", """{"cmd":"lease","queue":"q","wait":30,"where":{"t":"3"}}""");

        await PutAsync("""{"body":"three","headers":{"t":"3"}}""", """{"body":"two","headers":{"t":"2"}}""");

        Assert.Equal("two", (await waiting.WithTimeout()).Text.Trim('"'));
        Assert.Equal("three", (await command.WithTimeout()).Json.GetProperty("message").GetProperty("body").GetString());
        Assert.Equal("one", (await _server.GetAsync("/q/q")).Text.Trim('"'));
    }

    [Theory]
    [MemberData(nameof(BadConditions))]
    public async Task A_condition_that_is_none_is_refused(string condition)
    {
        foreach (var path in (string[])["/q/q?where=", "/q/q/batch?where=", "/q/q?ttr=30&where=", "/c/q?where=", "/sse/q?where="])
        {
            var answer = await _server.GetAsync(path + condition);

            Assert.Equal((400, "bad-option"), (answer.Status, answer.Problem));
        }
    }

    [Theory]
    [MemberData(nameof(BadFields))]
    public async Task A_field_that_is_no_filter_is_refused(string where)
    {
        foreach (var command in (string[])["take", "lease"])
        {
            var answer = await _server.PostAsync("/queue", $$"""{"cmd":"{{command}}","queue":"q","where":{{where}}}""");

            Assert.Equal(400, answer.Status);
            Assert.False(string.IsNullOrEmpty(answer.Json.GetProperty("detail").GetString()));
        }
    }

    [Theory]
    [InlineData("POST", "/q/q?where=t=1")]
    [InlineData("GET", "/q/q/messages?where=t=1")]
    [InlineData("POST", "/q/q/messages/1/ack?receipt=0123456789abcdef&where=t")]
    public async Task Requests_that_select_nothing_take_no_filter(string method, string path)
    {
        var answer = await _server.SendAsync(method, path, method == "POST" ? "x" : null);

        Assert.Equal((400, "bad-option"), (answer.Status, answer.Problem));
    }

    private async Task PutAsync(params string[] envelopes) =>
        Assert.Equal(201, (await _server.PostAsync("/q/q/batch?envelope=true", string.Join('\n', envelopes))).Status);
}
