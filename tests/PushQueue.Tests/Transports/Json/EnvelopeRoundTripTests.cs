using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Json;

/// <summary>The envelopes of a take or a look can be put again: every byte of the body and the content type are the same.</summary>
public sealed class EnvelopeRoundTripTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public static TheoryData<string> Ways => ["/q/a/batch?count=1000", "/q/a/batch?count=1000&ttr=60&worker=w", "/q/a/messages?limit=1000"];

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task The_envelopes_of_one_queue_are_put_into_another(string way)
    {
        foreach (var (type, body) in Bodies)
        {
            using var content = new ByteArrayContent(body);
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            using var answer = await _server.Client.PostAsync("/q/a?priority=4&unique=" + Guid.CreateVersion7(), content).WithTimeout();
            answer.EnsureSuccessStatusCode();
        }

        var given = (await _server.GetAsync(way)).Json;
        var envelopes = given.ValueKind == System.Text.Json.JsonValueKind.Array ? given : given.GetProperty("messages");
        var put = await _server.PostAsync("/q/b/batch?envelope=true", envelopes.GetRawText(), "application/json");

        Assert.Equal((201, Bodies.Length), (put.Status, put.Json.GetProperty("ids").GetArrayLength()));
        foreach (var (type, body) in Bodies)
        {
            using var taken = await _server.Client.GetAsync("/q/b").WithTimeout();
            Assert.Equal(type, taken.Content.Headers.NonValidated["Content-Type"].ToString());
            Assert.Equal(body, await taken.Content.ReadAsByteArrayAsync().WithTimeout());
            Assert.Equal("4", taken.Headers.GetValues("PushQueue-Priority").Single());
        }
    }

    [Fact]
    public async Task Text_and_a_json_string_have_different_envelopes()
    {
        await _server.PostAsync("/q/q", "hello", "text/plain");
        await _server.PostAsync("/q/q", "\"hello\"", "application/json");

        var messages = (await _server.GetAsync("/q/q/batch")).Json;

        Assert.Equal("text/plain", messages[0].GetProperty("contentType").GetString());
        Assert.False(messages[1].TryGetProperty("contentType", out _));
    }

    [Theory]
    [InlineData("""{"body":"x","offset":{"a":[1]},"state":null,"queue":7}""", 201)]
    [InlineData("""{"body":1,"delay":null,"id":null,"encoding":null,"contentType":null,"priority":null}""", 201)]
    [InlineData("""{"body":1,"colour":null}""", 400)]
    [InlineData("""{"body":1,"colour":"red"}""", 400)]
    [InlineData("""{"start":"x","bytes":1}""", 400)]
    public async Task Fields_that_only_report_are_ignored_and_unknown_ones_are_refused(string envelope, int status) =>
        Assert.Equal(status, (await _server.PostAsync("/q/q/batch?envelope=true", envelope)).Status);

    [Theory]
    [InlineData("\\u00e9", 2)]
    [InlineData("\\n", 1)]
    public async Task An_envelope_counts_the_bytes_that_its_escapes_stand_for(string escaped, int bytes)
    {
        var count = 1024 * 1024 / bytes;

        var fits = await _server.PostAsync("/q/q/batch?envelope=true", Envelope(count));
        var tooMuch = await _server.PostAsync("/q/q/batch?envelope=true", Envelope(count + 1));

        Assert.Equal((201, 413), (fits.Status, tooMuch.Status));

        string Envelope(int times) => $$"""{"contentType":"text/plain","body":"{{new StringBuilder().Insert(0, escaped, times)}}"}""";
    }

    private static (string Type, byte[] Body)[] Bodies { get; } =
    [
        .. from type in (string[])[
               "application/json", "text/plain", "application/octet-stream", "text/html; charset=utf-8", "application/json; charset=utf-8",
               "application/problem+json", "text/json", "image/png", "Text/Plain", "APPLICATION/JSON"]
           from body in (
               byte[][])["hello"u8.ToArray(), "\"hello\""u8.ToArray(), "{\"a\":[1, 2]}"u8.ToArray(), "\"a\\u00e9\\ud83d\""u8.ToArray(),
               "{oops"u8.ToArray(), [], [
                   0,
                   255,
                   237,
                   160,
                   189
               ], "null"u8.ToArray(), "1.50e3"u8.ToArray(), "tab\t\"quote\" \u2028"u8.ToArray()]
           select (type, body),
    ];
}
