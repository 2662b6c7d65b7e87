using System.Text;
using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Streams that begin N messages back, or with the newest message of each key.</summary>
public sealed class StreamStartPositionTests
{
    [Theory]
    [InlineData("-2", "c d")]
    [InlineData("-4", "a b c d")]
    [InlineData("-1000", "a b c d")]
    public async Task A_stream_begins_so_many_messages_back_and_goes_on_live(string from, string expected)
    {
        await using var server = await PushServer.StartAsync();
        await BroadcastAsync(server, (null, "a"), (null, "b"), (null, "c"), (null, "d"));

        using var stream = await server.ListenAsync($"/c/test?from={from}");
        await PutAsync(server, null, "live");

        Assert.Equal([.. expected.Split(' '), "live"], Bodies(await stream.NextLinesAsync(expected.Split(' ').Length + 1)));
    }

    [Theory]
    [InlineData("-")]
    [InlineData("-0")]
    [InlineData("--1")]
    [InlineData("-x")]
    [InlineData("-99999999999999999999")]
    [InlineData("latest-per-keys")]
    public async Task A_start_that_is_none_is_refused(string from)
    {
        await using var server = await PushServer.StartAsync();

        using var answer = await server.Http.GetAsync($"http://{server.Address}/sse/test?from={from}").WithTimeout();

        Assert.Equal(400, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("/c/test")]
    [InlineData("/sse/test")]
    [InlineData("/ws/test")]
    public async Task A_queue_that_keeps_no_newest_message_refuses_to_begin_with_them(string path)
    {
        await using var server = await PushServer.StartAsync();

        using var answer = await server.Http.GetAsync($"http://{server.Address}{path}?from=latest-per-key").WithTimeout();

        Assert.True((int)answer.StatusCode is 400 or 426);
    }

    [Fact]
    public async Task A_stream_begins_with_the_newest_message_of_each_key_and_goes_on_without_a_hole()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { HistoryPerKey = true, HistoryMessages = 1 });
        await BroadcastAsync(server, ("a", "a1"), ("b", "b1"), ("a", "a2"), (null, "plain"), ("c", "c1"), ("c", ""), (null, "last"));

        using var stream = await server.ListenAsync("/c/test?from=latest-per-key");
        await PutAsync(server, "b", "b2");
        await PutAsync(server, null, "live");

        var lines = await stream.NextLinesAsync(5);
        Assert.Equal(["b1", "a2"], Bodies(lines[..2]));
        Assert.Contains("\"event\":\"cursor\"", lines[2], StringComparison.Ordinal);
        Assert.Equal(["b2", "live"], Bodies(lines[3..]));
        Assert.Equal([2, 3, 8, 9], lines.Where(static line => !line.Contains("\"event\"", StringComparison.Ordinal))
            .Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("offset").GetInt32()));
    }

    [Fact]
    public async Task The_newest_messages_have_no_ids_and_the_position_behind_them_resumes()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { HistoryPerKey = true, HistoryMessages = 1 });
        await BroadcastAsync(server, ("a", "a1"), ("b", "b1"), (null, "x"), (null, "y"));

        using var stream = await server.ListenAsync("/sse/test?from=latest-per-key&where=t=1");
        using var all = await server.ListenAsync("/sse/test?from=latest-per-key");
        var lines = await all.NextLinesAsync(3);

        Assert.StartsWith("data: ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("data: ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("id: ", lines[2], StringComparison.Ordinal);
        Assert.EndsWith(".4", lines[2], StringComparison.Ordinal);
        Assert.Equal(lines[2], await stream.NextLineAsync());
        using var again = await server.ListenAsync("/sse/test?from=latest-per-key", lines[2]["id: ".Length..]);
        await PutAsync(server, "a", "a2");
        Assert.Contains("a2", (await again.NextLinesAsync(2))[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_newest_message_is_missed_or_old_while_messages_pour_in()
    {
        const int Keys = 50;
        const int Rounds = 40;
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { HistoryPerKey = true, HistoryMessages = 5000 });
        using var reader = await server.ListenAsync("/c/test");
        var putting = Task.Run(async () =>
        {
            for (var round = 1; round <= Rounds; round++)
            {
                for (var key = 0; key < Keys; key++)
                {
                    await PutAsync(server, $"k{key}", $"{round}");
                }
            }
        });

        await reader.NextLinesAsync(Keys * 3);
        var values = new Dictionary<string, int>();
        using var late = await server.ListenAsync("/c/test?from=latest-per-key");
        while (values.Count < Keys || values.Values.Any(static value => value < Rounds))
        {
            var message = JsonDocument.Parse(await late.NextLineAsync()).RootElement;
            if (message.TryGetProperty("event", out var told))
            {
                Assert.Equal("cursor", told.GetString());
                continue;
            }

            var key = message.GetProperty("key").GetString()!;
            var value = int.Parse(message.GetProperty("body").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(value == values.GetValueOrDefault(key) + 1
                || !values.ContainsKey(key), $"{key}: {value} after {values.GetValueOrDefault(key)}");
            values[key] = value;
        }

        await putting.WithTimeout();
    }

    private static IEnumerable<string> Bodies(IEnumerable<string> lines) =>
        lines.Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("body").GetString()!);

    private static async Task BroadcastAsync(PushServer server, params (string? Key, string Body)[] messages)
    {
        foreach (var (key, body) in messages)
        {
            await PutAsync(server, key, body);
            Assert.Single(await server.Store.BroadcastAsync(server.Queue, 1, 1000));
        }
    }

    private static async Task PutAsync(PushServer server, string? key, string body) => Assert.True((await server.Store.PutAsync(
        server.Queue, new NewMessage { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain", Key = key })).Ok);
}
