using Xunit;

namespace PushQueue.Tests.Dialects;

public abstract partial class RestMqContract
{
    [Theory]
    [InlineData("body=", Form)]
    [InlineData("msg=", Form)]
    [InlineData("", Form)]
    [InlineData("", "application/json")]
    [InlineData("", null)]
    public async Task A_command_comes_in_a_form_field_or_as_the_body(string field, string? contentType)
    {
        var command = "{\"cmd\":\"add\",\"queue\":\"test\",\"value\":\"foo & bar\"}";
        var body = field.Length > 0 ? field + Uri.EscapeDataString(command) : command;

        Assert.Equal(
            (200, "application/json", "{\"queue\":\"test\",\"value\":\"foo & bar\",\"key\":\"test:1\"}\r\n"),
            Whole(await PostAsync("/queue", body, contentType)));
        Assert.Equal("foo & bar", (await GetAsync("/q/test")).Json.GetProperty("value").GetString());
    }

    [Fact]
    public async Task Get_counts_the_looks_and_take_removes()
    {
        await PutAsync("test", "a", "b");

        Assert.Equal("{\"queue\":\"test\",\"value\":\"a\",\"key\":\"test:1\",\"count\":1}\r\n", await CommandAsync("get"));
        Assert.Equal("{\"queue\":\"test\",\"value\":\"a\",\"key\":\"test:1\",\"count\":2}\r\n", await CommandAsync("get"));
        Assert.Equal("{\"queue\":\"test\",\"value\":\"a\",\"key\":\"test:1\"}\r\n", await CommandAsync("take"));
        Assert.Equal("{\"queue\":\"test\",\"value\":\"b\",\"key\":\"test:2\",\"count\":1}\r\n", await CommandAsync("get"));
        Assert.Equal("{\"queue\":\"test\",\"value\":\"b\",\"key\":\"test:2\"}\r\n", await CommandAsync("take"));
        Assert.Equal("{\"error\":\"empty queue\"}\r\n", await CommandAsync("take"));
        Assert.Equal("{\"error\":\"empty queue\"}\r\n", await CommandAsync("get"));
    }

    [Fact]
    public async Task Del_removes_by_key()
    {
        await PutAsync("test", "a", "b");

        Assert.Equal("{\"queue\":\"test\",\"key\":\"test:1\",\"deleted\":true}\r\n", await CommandAsync("del", "\"key\":\"test:1\""));
        Assert.Equal("{\"queue\":\"test\",\"key\":\"test:1\",\"deleted\":false}\r\n", await CommandAsync("del", "\"key\":\"test:1\""));
        Assert.Equal("{\"queue\":\"test\",\"key\":\"2\",\"deleted\":false}\r\n", await CommandAsync("del", "\"key\":\"2\""));
        Assert.Equal("b", (await GetAsync("/q/test")).Json.GetProperty("value").GetString());
    }

    [Theory]
    [InlineData("{\"a\": [1, \"é\"]}")]
    [InlineData("12.50")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("[\"\\ud800\"]")]
    public async Task A_value_that_is_no_text_is_kept_as_its_JSON(string json)
    {
        var added = await PostAsync("/queue", $"{{\"cmd\":\"add\",\"queue\":\"test\",\"value\":{json}}}", "application/json");

        Assert.Equal("test:1", added.Json.GetProperty("key").GetString());
        Assert.Equal(json, (await GetAsync("/q/test")).Json.GetProperty("value").GetString());
    }

    [Theory]
    [InlineData("{\"cmd\":\"add\",\"value\":\"a\"}")]
    [InlineData("{\"cmd\":\"add\",\"queue\":5,\"value\":\"a\"}")]
    [InlineData("{\"cmd\":\"add\",\"queue\":\"test\"}")]
    [InlineData("{\"cmd\":\"add\",\"queue\":\"a/b\",\"value\":\"a\"}")]
    [InlineData("{\"cmd\":\"add\",\"queue\":\"test\",\"value\":\"\\ud800\"}")]
    [InlineData("{\"cmd\":\"get\"}")]
    [InlineData("{\"cmd\":\"take\",\"queue\":null}")]
    [InlineData("{\"cmd\":\"del\",\"queue\":\"test\"}")]
    [InlineData("{\"cmd\":\"del\",\"queue\":\"test\",\"key\":1}")]
    [InlineData("{\"cmd\":1}")]
    public async Task A_field_that_is_missing_or_of_the_wrong_type_is_an_error_and_stores_nothing(string command)
    {
        var answer = await PostAsync("/queue", command, "application/json");

        Assert.Equal((200, "application/json"), (answer.Status, answer.ContentType));
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
        Assert.Equal(0, (await GetAsync("/stats/")).Json.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task An_unknown_command_is_a_null_resultset() =>
        Assert.Equal("{\"error\":\"null resultset\"}\r\n", await CommandAsync("steal"));

    [Theory]
    [InlineData("")]
    [InlineData("{\"cmd\":\"add\",\"queue\":\"test\",\"value\":\"a\"")]
    [InlineData("{'cmd':'add','queue':'test','value':'a'}")]
    [InlineData("{\"cmd\":\"add\",\"queue\":\"test\",\"value\":\"a\",}")]
    [InlineData("{\"cmd\":\"add\",\"queue\":\"test\",\"value\":\"a\"} x")]
    [InlineData("{\"cmd\":\"add\",\"queue\":\"test\",\"queue\":\"other\",\"value\":\"a\"}")]
    [InlineData("[]")]
    [InlineData("\"add\"")]
    [InlineData("{\"queue\":\"test\",\"value\":\"a\"}")]
    public async Task What_is_no_command_is_a_400(string body)
    {
        var answer = await PostAsync("/queue", body, "application/json");

        Assert.Equal((400, "text/plain"), (answer.Status, answer.ContentType));
        Assert.Equal(0, (await GetAsync("/stats/")).Json.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task The_protocol_explains_itself() =>
        Assert.Equal((200, "text/html"), await GetAsync("/queue") is var answer ? (answer.Status, answer.ContentType) : default);

    private async Task<string> CommandAsync(string word, string? more = null) =>
        (
            await PostAsync(
                "/queue",
                $"{{\"cmd\":\"{word}\",\"queue\":\"test\"{(more is null ? "" : "," + more)}}}",
                "application/json")).Text;
}
