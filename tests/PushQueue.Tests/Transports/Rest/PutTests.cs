using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

public sealed class PutTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Put_answers_201_with_id_durability_and_location()
    {
        var answer = await _server.PostAsync("/q/test", "hello");

        Assert.Equal(201, answer.Status);
        Assert.Equal("""{"queue":"test","id":"1","durability":"memory"}""", answer.Text);
        Assert.Equal("/q/test/messages/1", answer.Headers["Location"]);
    }

    [Fact]
    public async Task Put_with_a_live_id_answers_200_and_stores_nothing()
    {
        await _server.PostAsync("/q/test?id=a", "first");

        var again = await _server.PostAsync("/q/test?id=a", "second");

        Assert.Equal(200, again.Status);
        Assert.True(again.Json.GetProperty("duplicate").GetBoolean());
        Assert.Equal("first", (await _server.GetAsync("/q/test")).Text);
        Assert.Equal(204, (await _server.GetAsync("/q/test")).Status);
    }

    [Theory]
    [InlineData("value=foo+b%20%C3%A4r", "foo b är", "text/plain")]
    [InlineData("msg=m", "m", "text/plain")]
    [InlineData("ttl=1&msg=m&value=v", "ttl=1&msg=m&value=v", "text/plain")]
    [InlineData("https://ex.com/?a=1&value=2", "https://ex.com/?a=1&value=2", "text/plain")]
    [InlineData("value=hello&user=7", "value=hello&user=7", "text/plain")]
    [InlineData("value=a%26b%3Dc", "a&b=c", "text/plain")]
    [InlineData("values=1", "values=1", "text/plain")]
    [InlineData("value=", "", "text/plain")]
    [InlineData("{\"a\":\"x&value=y\"}", "{\"a\":\"x&value=y\"}", "application/json")]
    [InlineData("{\"a\":\"x&value=y\"", "{\"a\":\"x&value=y\"", "text/plain")]
    [InlineData("hello world", "hello world", "text/plain")]
    [InlineData("12", "12", "application/json")]
    public async Task A_form_puts_its_field_and_what_only_claims_to_be_one_is_put_as_it_is(string body, string stored, string type)
    {
        await _server.PostAsync("/q/form", body, "application/x-www-form-urlencoded");

        var taken = await _server.GetAsync("/q/form");

        Assert.Equal(stored, taken.Text);
        Assert.Equal(type, taken.ContentType);
    }

    [Fact]
    public async Task A_body_of_any_type_comes_back_as_it_was_and_no_browser_may_guess()
    {
        var bytes = Enumerable.Range(0, 70_000).Select(i => (byte)i).ToArray();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/q/bytes") { Content = new ByteArrayContent(bytes) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "image/x-odd; a=\"b\"");
        await _server.SendAsync(request);

        using var response = await _server.Client.GetAsync("/q/bytes").WithTimeout();

        Assert.Equal(bytes, await response.Content.ReadAsByteArrayAsync().WithTimeout());
        Assert.Equal("image/x-odd; a=\"b\"", response.Content.Headers.GetValues("Content-Type").Single());
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task An_empty_body_without_a_type_is_a_message()
    {
        Assert.Equal(201, (await _server.SendAsync("POST", "/q/empty", "")).Status);

        var taken = await _server.GetAsync("/q/empty");

        Assert.Equal(200, taken.Status);
        Assert.Equal("application/octet-stream", taken.ContentType);
        Assert.Equal("", taken.Text);
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_stored_whole()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/q/chunked")
        {
            Content = new StreamContent(new MemoryStream(new byte[300_000])),
        };
        request.Headers.TransferEncodingChunked = true;
        Assert.Equal(201, (await _server.SendAsync(request)).Status);

        Assert.Equal(300_000, (await _server.GetAsync("/q/chunked")).Text.Length);
    }

    [Fact]
    public async Task Ids_with_slashes_and_emoji_can_be_put_looked_at_and_cancelled()
    {
        const string Path = "/q/%F0%9F%98%80%20x/messages/a%2Fb%20%C3%A4%25";
        var put = await _server.PostAsync("/q/%F0%9F%98%80%20x?id=a/b%20%C3%A4%25", "x");
        Assert.Equal("a/b ä%", put.Json.GetProperty("id").GetString());
        Assert.Equal(Path, put.Headers["Location"]);

        var look = await _server.GetAsync(Path);
        Assert.Equal("😀 x", look.Json.GetProperty("queue").GetString());
        Assert.Equal(204, (await _server.SendAsync("DELETE", Path)).Status);
        Assert.Equal("not-found", (await _server.GetAsync(Path)).Problem);
    }

    [Fact]
    public async Task A_delayed_message_waits_and_a_ttl_and_a_unique_key_hold()
    {
        Assert.Equal(201, (await _server.PostAsync("/q/later?delay=1h&unique=k", "x")).Status);
        Assert.Equal(204, (await _server.GetAsync("/q/later")).Status);

        var taken = await _server.PostAsync("/q/later?unique=k", "y");
        Assert.Equal((409, "unique-key-taken"), (taken.Status, taken.Problem));
        Assert.Equal(201, (await _server.PostAsync("/q/later?at=2000-01-01T00:00:00%2B01:00&ttl=1h", "z")).Status);
        Assert.Equal("z", (await _server.GetAsync("/q/later")).Text);
    }
}
