using System.Text.Json;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Commands;

public sealed class CommandTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Put_look_take_and_cancel_work_by_their_own_and_by_restmqs_words()
    {
        Assert.Equal(
            """{"ref":[1],"ok":true,"queue":"q","id":"1","durability":"memory"}""",
            (await SendAsync("""{"cmd":"put","queue":"q","value":{"x":1},"ref":[1]}""")).Text);
        Assert.Equal(200, (await SendAsync("""{"cmd":"add","queue":"q","value":"two","contentType":"text/plain","id":"b"}""")).Status);

        Assert.Equal("1", Message(await SendAsync("""{"cmd":"get","queue":"q"}""")).GetProperty("id").GetString());
        Assert.Equal("two", Message(await SendAsync("""{"cmd":"look","queue":"q","id":"b"}""")).GetProperty("body").GetString());
        Assert.Equal("""{"x":1}""", Message(await SendAsync("""{"cmd":"take","queue":"q"}""")).GetProperty("body").GetRawText());
        Assert.Equal(200, (await SendAsync("""{"cmd":"del","queue":"q","id":"b"}""")).Status);
        Assert.Equal(JsonValueKind.Null, Message(await SendAsync("""{"cmd":"take","queue":"q"}""")).ValueKind);
    }

    [Fact]
    public async Task Bodies_may_be_any_json_text_or_bytes()
    {
        await SendAsync("""{"cmd":"put","queue":"q","value":null}""");
        await SendAsync("""{"cmd":"put","queue":"q","value":"AAH/","encoding":"base64"}""");
        await SendAsync("""{"cmd":"put","queue":"q","value":"t\u00e4xt","contentType":"text/plain"}""");

        Assert.Equal("null", (await _server.GetAsync("/q/q")).Text);
        Assert.Equal(new byte[] { 0, 1, 255 }, await _server.Client.GetByteArrayAsync("/q/q").WithTimeout());
        Assert.Equal("täxt", (await _server.GetAsync("/q/q")).Text);
    }

    [Fact]
    public async Task Many_values_are_put_all_or_none()
    {
        var answer = await SendAsync("""{"cmd":"put","queue":"q","values":[1,"a",{"x":[2]}],"priority":3}""");

        Assert.Equal(3, answer.Json.GetProperty("ids").GetArrayLength());
        var taken = (await SendAsync("""{"cmd":"take","queue":"q","count":5}""")).Json.GetProperty("messages");
        Assert.Equal(["1", "\"a\"", """{"x":[2]}"""], taken.EnumerateArray().Select(message => message.GetProperty("body").GetRawText()));
        Assert.Equal(400, (await SendAsync("""{"cmd":"put","queue":"q","values":1}""")).Status);
        Assert.Equal(400, (await SendAsync("""{"cmd":"put","queue":"q","values":[1],"id":"x"}""")).Status);
    }

    [Fact]
    public async Task What_is_released_unstarted_is_no_failed_attempt()
    {
        await SendAsync("""{"cmd":"put","queue":"q","value":1,"maxAttempts":1}""");
        var lease = Message(await SendAsync("""{"cmd":"lease","queue":"q","ttr":"1m"}"""));

        Assert.Equal(400, (await SendAsync($$"""{"cmd":"release","queue":"q",{{Key(lease)}},"unstarted":true,"error":"no"}""")).Status);
        Assert.Equal(200, (await SendAsync($$"""{"cmd":"release","queue":"q",{{Key(lease)}},"unstarted":true}""")).Status);

        Assert.Equal(1, Message(await SendAsync("""{"cmd":"lease","queue":"q"}""")).GetProperty("attempt").GetInt32());
    }

    [Fact]
    public async Task What_is_rejected_is_dead_lettered_and_a_put_that_waits_for_it_is_answered()
    {
        var put = SendAsync("""{"cmd":"put","queue":"q","value":1,"waitForAck":"30s"}""");
        var lease = Message(await SendAsync("""{"cmd":"lease","queue":"q","ttr":"1m","wait":"30s"}"""));

        Assert.Equal(200, (await SendAsync($$"""{"cmd":"release","queue":"q",{{Key(lease)}},"deadLetter":true}""")).Status);

        Assert.Equal("dead-lettered", (await put).Json.GetProperty("error").GetString());
        Assert.Equal(1, Message(await SendAsync("""{"cmd":"take","queue":"q.dead"}""")).GetProperty("body").GetInt32());
    }

    [Fact]
    public async Task Leases_are_touched_released_and_acked_one_or_many()
    {
        await SendAsync("""{"cmd":"put","queue":"q","values":[1,2]}""");
        var leases = (await SendAsync("""{"cmd":"lease","queue":"q","count":2,"ttr":"1m"}""")).Json.GetProperty("messages");
        var (first, second) = (Key(leases[0]), Key(leases[1]));

        Assert.Equal(200, (await SendAsync($$"""{"cmd":"touch","queue":"q",{{first}},"ttr":60}""")).Status);
        Assert.Equal(200, (await SendAsync($$"""{"cmd":"release","queue":"q",{{first}},"error":"no"}""")).Status);
        var many = await SendAsync($$"""{"cmd":"ack","queue":"q","items":[{ {{first}} },{ {{second}} }]}""");
        Assert.Equal("lease-lost", many.Json.GetProperty("results")[0].GetProperty("error").GetString());
        Assert.True(many.Json.GetProperty("results")[1].GetProperty("ok").GetBoolean());

        var late = await SendAsync($$"""{"cmd":"ack","queue":"q",{{first}},"ref":"r"}""");
        Assert.Equal(409, late.Status);
        Assert.Equal(("lease-lost", "r"), (late.Json.GetProperty("error").GetString(), late.Json.GetProperty("ref").GetString()));
    }

    [Fact]
    public async Task Policy_and_control_are_told_and_set()
    {
        Assert.Equal("""{"ok":true,"queue":"q","policy":"broadcast"}""", (await SendAsync("""{"cmd":"policy","queue":"q"}""")).Text);
        Assert.Equal(
            "roundrobin",
            (await SendAsync("""{"cmd":"policy","queue":"q","policy":"roundrobin"}""")).Json.GetProperty("policy").GetString());
        Assert.Equal(
            "stopped",
            (await SendAsync("""{"cmd":"control","queue":"q","status":"stop"}""")).Json.GetProperty("status").GetString());
        Assert.Equal("queue-stopped", (await SendAsync("""{"cmd":"take","queue":"q"}""")).Json.GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("", "bad-json")]
    [InlineData("{", "bad-json")]
    [InlineData("[1]", "bad-json")]
    [InlineData("\"x\"", "bad-json")]
    [InlineData("""{"cmd":"nope","queue":"q"}""", "bad-command")]
    [InlineData("""{"queue":"q"}""", "bad-command")]
    [InlineData("""{"cmd":1,"queue":"q"}""", "bad-command")]
    [InlineData("""{"cmd":"subscribe","queue":"q"}""", "unsupported")]
    [InlineData("""{"cmd":"take"}""", "bad-option")]
    [InlineData("""{"cmd":"take","queue":{}}""", "bad-option")]
    [InlineData("""{"cmd":"take","queue":"a/b"}""", "bad-queue-name")]
    [InlineData("""{"cmd":"take","queue":"q","ttr":5}""", "bad-option")]
    [InlineData("""{"cmd":"take","queue":"q","wait":1e9}""", "bad-option")]
    [InlineData("""{"cmd":"put","queue":"q"}""", "bad-option")]
    [InlineData("""{"cmd":"put","queue":"q","value":1,"delay":-1}""", "bad-option")]
    [InlineData("""{"cmd":"put","queue":"q","value":1,"nope":1}""", "bad-option")]
    [InlineData("""{"cmd":"put","queue":"q","value":"#","encoding":"base64"}""", "bad-option")]
    [InlineData("""{"cmd":"cancel","queue":"q"}""", "bad-option")]
    [InlineData("""{"cmd":"cancel","queue":"q","id":"1"}""", "not-found")]
    [InlineData("""{"cmd":"ack","queue":"q","id":"1"}""", "bad-option")]
    [InlineData("""{"cmd":"ack","queue":"q","id":"1","receipt":"x"}""", "bad-option")]
    [InlineData("""{"cmd":"ack","queue":"q","items":{}}""", "bad-json")]
    public async Task A_wrong_command_gets_an_error_that_says_what_to_do(string command, string error)
    {
        var answer = await SendAsync(command);

        Assert.NotEqual(200, answer.Status);
        Assert.Equal(error, answer.Json.GetProperty("error").GetString());
        Assert.False(string.IsNullOrEmpty(answer.Json.GetProperty("detail").GetString()));
        Assert.Equal(0, (await _server.GetAsync("/q")).Json.GetProperty("total").GetInt32());
    }

    private Task<Answer> SendAsync(string command) => _server.PostAsync("/queue", command, "application/json");

    private static JsonElement Message(Answer answer) => answer.Json.GetProperty("message");

    private static string Key(JsonElement lease) =>
        $$""" "id":"{{lease.GetProperty("id").GetString()}}","receipt":"{{lease.GetProperty("receipt").GetString()}}" """;
}
