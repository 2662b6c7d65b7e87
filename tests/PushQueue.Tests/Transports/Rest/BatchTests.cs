using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

public sealed class BatchTests : IAsyncLifetime
{
    private const string Lines = "application/x-ndjson";

    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await PushQueueServer.StartAsync(options => options.Queues.BatchBytesMax = 20_000_000);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("1\n{\"a\": 2}\r\n\n  \"drei\"  ", Lines)]
    [InlineData("1\n{\"a\": 2}\n\"drei\"\n", "text/plain")]
    [InlineData(" [ 1 , {\"a\": 2},\n\"drei\" ] \n", "application/json")]
    [InlineData("\uFEFF[1,{\"a\": 2},\"drei\"]", null)]
    public async Task Lines_and_lists_put_their_elements_as_json(string body, string? contentType)
    {
        var put = await _server.PostAsync("/q/test/batch", body, contentType);
        Assert.Equal(201, put.Status);
        Assert.Equal("""{"queue":"test","ids":["1","2","3"],"durability":"memory"}""", put.Text);

        Assert.Equal("1", (await _server.GetAsync("/q/test")).Text);
        var second = await _server.GetAsync("/q/test");
        Assert.Equal(("{\"a\": 2}", "application/json"), (second.Text, second.ContentType));
        Assert.Equal("\"drei\"", (await _server.GetAsync("/q/test")).Text);
    }

    [Fact]
    public async Task Envelopes_bring_their_own_options()
    {
        const string Body = """
            {"body":{"x":1},"id":"a","priority":9}
            {"id":"b","contentType":"text/plain","body":"p\u00e4ng"}
            {"body":null,"delay":"1h"}
            {"body":[1],"id":"a"}
            """;

        var put = await _server.PostAsync("/q/test/batch?envelope=true&priority=1", Body, Lines);

        Assert.Equal(201, put.Status);
        Assert.Equal("a", put.Json.GetProperty("duplicates")[0].GetString());
        var taken = (await _server.GetAsync("/q/test/batch?count=10")).Json;
        Assert.Equal(2, taken.GetArrayLength());
        Assert.Equal("""{"x":1}""", taken[0].GetProperty("body").GetRawText());
        Assert.Equal("päng", taken[1].GetProperty("body").GetString());
        Assert.Equal(1, taken[1].GetProperty("priority").GetInt32());
    }

    [Theory]
    [InlineData("a", false)]
    [InlineData("1", true)]
    public async Task A_batch_that_repeats_a_number_gets_the_advice_of_a_put(string id, bool advice)
    {
        await _server.PostAsync($"/q/test?id={id}", "x");
        var answers = new[]
        {
            await _server.PostAsync($"/q/test?id={id}", "x"),
            await _server.PostAsync("/q/test/batch?envelope=true", $$"""{"body":1,"id":"{{id}}"}""", Lines),
        };

        Assert.All(answers, answer => Assert.Equal(
            advice,
            answer.Json.TryGetProperty("detail", out var detail)
                && detail.GetString()!.EndsWith("choose ids that are not numbers.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Envelopes_bring_bytes_as_base64_up_to_the_largest_message()
    {
        var largest = new byte[1024 * 1024];
        Random.Shared.NextBytes(largest);
        var body = $$"""
            {"body":"AAH/","encoding":"base64","id":"a"}
            {"body":"{{Convert.ToBase64String(largest)}}","encoding":"base64","contentType":"image/png"}
            {"body":"","encoding":"base64"}
            """;

        Assert.Equal(201, (await _server.PostAsync("/q/test/batch?envelope=true", body, Lines)).Status);

        using var first = await _server.Client.GetAsync("/q/test").WithTimeout();
        Assert.Equal("application/octet-stream", first.Content.Headers.ContentType?.MediaType);
        Assert.Equal(new byte[] { 0, 1, 255 }, await first.Content.ReadAsByteArrayAsync().WithTimeout());
        using var second = await _server.Client.GetAsync("/q/test").WithTimeout();
        Assert.Equal("image/png", second.Content.Headers.ContentType?.MediaType);
        Assert.Equal(largest, await second.Content.ReadAsByteArrayAsync().WithTimeout());
        Assert.Empty(await _server.Client.GetByteArrayAsync("/q/test").WithTimeout());
    }

    [Theory]
    [InlineData("{\"body\":\"AAH\",\"encoding\":\"base64\"}", "bad-option")]
    [InlineData("{\"body\":[1],\"encoding\":\"base64\"}", "bad-option")]
    [InlineData("{\"body\":\"AAH/\",\"encoding\":\"hex\"}", "bad-option")]
    public async Task Broken_base64_is_refused_with_its_place(string line, string problem)
    {
        var answer = await _server.PostAsync("/q/test/batch?envelope=true", "{\"body\":1}\n" + line, Lines);

        Assert.Equal((400, problem), (answer.Status, answer.Problem));
        Assert.StartsWith("Line 2: ", answer.Detail, StringComparison.Ordinal);
        Assert.Equal(204, (await _server.GetAsync("/q/test")).Status);
    }

    [Theory]
    [InlineData("1\n\n{\"a\"\n3", Lines, "Line 3")]
    [InlineData("1\n2 3\n", Lines, "Line 2")]
    [InlineData("[1,{\"a\":},3]", "application/json", "Element 2")]
    [InlineData("[1,2", "application/json", "")]
    [InlineData("[1]\n[2]\n", "application/json", "ndjson")]
    [InlineData("", Lines, "empty")]
    [InlineData(" \n \n", null, "empty")]
    [InlineData("\"\\ud800\u0000\"", Lines, "Line 1")]
    public async Task One_bad_element_is_named_and_nothing_is_stored(string body, string? contentType, string named)
    {
        var answer = await _server.PostAsync("/q/test/batch", body, contentType);

        Assert.Equal((400, "bad-json"), (answer.Status, answer.Problem));
        Assert.Contains(named, answer.Detail, StringComparison.Ordinal);
        Assert.Equal(204, (await _server.GetAsync("/q/test")).Status);
    }

    [Theory]
    [InlineData("""{"body":1,"delay":-1}""", "bad-option", "delay")]
    [InlineData("""{"body":1,"nope":1}""", "bad-option", "nope")]
    [InlineData("""{"body":1,"id":{}}""", "bad-option", "id")]
    [InlineData("""{"body":1,"id":""}""", "bad-message-id", "missing")]
    [InlineData("""{"id":"x"}""", "bad-json", "body")]
    [InlineData("""[1]""", "bad-json", "envelope")]
    public async Task A_wrong_envelope_is_named(string line, string problem, string named)
    {
        var answer = await _server.PostAsync("/q/test/batch?envelope=true", "{\"body\":0}\n" + line, Lines);

        Assert.Equal((400, problem), (answer.Status, answer.Problem));
        Assert.Contains("Line 2", answer.Detail, StringComparison.Ordinal);
        Assert.Contains(named, answer.Detail, StringComparison.Ordinal);
        Assert.Equal(204, (await _server.GetAsync("/q/test")).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_hundred_thousand_messages_go_in_one_request(bool lines)
    {
        const int Count = 100_000;
        var body = new StringBuilder(lines ? "" : "[");
        for (var i = 0; i < Count; i++)
        {
            body.Append("{\"number\":").Append(i).Append(",\"filling\":\"").Append('x', i % 100).Append("\"}").Append(lines ? '\n' : ',');
        }

        body.Length--;
        var answer = await _server.PostAsync("/q/test/batch", body + (lines ? "" : "]"), lines ? Lines : "application/json");

        Assert.Equal(201, answer.Status);
        Assert.Equal(Count, answer.Json.GetProperty("ids").GetArrayLength());
        Assert.Equal(Count, (await _server.GetAsync("/j/test")).Json.GetProperty("ready").GetInt64());
        Assert.StartsWith("{\"number\":0,", (await _server.GetAsync("/q/test")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Elements_may_be_as_large_as_messages_and_no_larger(bool lines)
    {
        var largest = "\"" + new string('x', (1024 * 1024) - 2) + "\"";
        var (open, close) = lines ? ("", "") : ("[", "]");

        Assert.Equal(201, (await _server.PostAsync("/q/test/batch", open + largest + close, null)).Status);
        var answer = await _server.PostAsync("/q/test/batch", open + "\"" + largest[1..^1] + "x\"" + close, null);

        Assert.Equal((413, "message-too-large"), (answer.Status, answer.Problem));
        Assert.Equal(1, (await _server.GetAsync("/j/test")).Json.GetProperty("ready").GetInt64());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_batch_that_is_too_large_is_refused_with_and_without_its_length(bool chunked)
    {
        var line = Encoding.UTF8.GetBytes("\"" + new string('x', 997) + "\"\n");
        var bytes = Enumerable.Repeat(line, 21_000).SelectMany(part => part).ToArray();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/q/test/batch") { Content = new ByteArrayContent(bytes) };
        request.Headers.TransferEncodingChunked = chunked;

        var answer = await _server.SendAsync(request);

        Assert.Equal((413, "batch-too-large"), (answer.Status, answer.Problem));
        Assert.Equal(204, (await _server.GetAsync("/q/test")).Status);
    }
}
