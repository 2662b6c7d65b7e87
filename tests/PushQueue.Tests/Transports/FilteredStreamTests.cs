using System.Text;
using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>The option <c>where</c> of streams, under both policies.</summary>
public sealed class FilteredStreamTests
{
    [Fact]
    public async Task Under_broadcast_what_does_not_match_is_left_out_and_is_no_gap()
    {
        await using var server = await PushServer.StartAsync();
        using var all = await server.ListenAsync("/c/test");
        using var seven = await server.ListenAsync("/c/test?where=t=7");
        using var both = await server.ListenAsync("/c/test?where=t%3D7%7C8&where=region");

        await PutAsync(server, ("a", "7"), ("b", "8"), ("c", null), ("d", "7"));

        Assert.Equal(["a", "b", "c", "d"], Bodies(await all.NextLinesAsync(4)));
        var lines = await seven.NextLinesAsync(2);
        Assert.Equal(["a", "d"], Bodies(lines));
        Assert.Equal([1, 4], lines.Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("offset").GetInt32()));
        await PutAsync(server, ("e", "9"));
        await server.Store.PutAsync(server.Queue, Message("f", ("t", "8"), ("region", "eu"))).AsTask().WithTimeout();
        Assert.Equal(["f"], Bodies(await both.NextLinesAsync(1)));
    }

    [Theory]
    [InlineData("""{"cmd":"subscribe","queue":"test","where":"t=7"}""")]
    [InlineData("""{"cmd":"subscribe","queue":"test","where":["t=7|9"],"from":"earliest"}""")]
    [InlineData("""{"cmd":"subscribe","queue":"test","where":{"t":7},"ref":1}""")]
    public async Task A_subscription_of_a_socket_has_a_filter(string command)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectAsync("/ws");
        await socket.SendAsync(command);
        Assert.Contains("\"ok\":true", await socket.NextAsync(), StringComparison.Ordinal);

        await PutAsync(server, ("a", "8"), ("b", "7"));

        Assert.Contains("\"body\":\"b\"", await socket.NextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Subscribe", false)]
    [InlineData("Consume", true)]
    public async Task A_subscription_of_the_hub_has_a_filter(string method, bool isStream)
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectHubAsync(negotiate: false);
        await socket.SendAsync(
            $"{{\"type\":{(isStream ? 4 : 1)},\"invocationId\":\"1\",\"target\":\"{method}\",\"arguments\":[\"test\",{{\"where\":{{\"t\":\"7\"}},\"from\":\"earliest\"}}]}}\u001e");
        if (!isStream)
        {
            Assert.Contains("\"type\":3", await socket.NextRecordAsync(), StringComparison.Ordinal);
        }

        await PutAsync(server, ("a", "8"), ("b", "7"));

        Assert.Contains("\"body\":\"b\"", await socket.NextRecordAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_filter_of_a_subscription_is_refused()
    {
        await using var server = await PushServer.StartAsync();
        using var socket = await server.ConnectAsync("/ws");
        foreach (var where in (string[])["7", "\"=1\"", "{\"a b\":\"1\"}", "[\"a\",\"a\"]", "{\"a\":{}}"])
        {
            await socket.SendAsync($$"""{"cmd":"subscribe","queue":"test","where":{{where}}}""");
            Assert.Contains("bad-option", await socket.NextAsync(), StringComparison.Ordinal);
        }

        using var hub = await server.ConnectHubAsync(negotiate: false);
        await hub.CallAsync("1", "Subscribe", "\"test\",{\"where\":{\"a b\":\"1\"}}");
        Assert.Contains("bad-option", await hub.NextRecordAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_filtered_stream_resumes_by_its_last_event_and_reads_history_through_its_filter()
    {
        await using var server = await PushServer.StartAsync();
        using (var reader = await server.ListenAsync("/sse/test?where=t=7"))
        {
            await PutAsync(server, ("a", "7"), ("b", "8"));
            var lines = await reader.NextLinesAsync(2);
            await PutAsync(server, ("c", "8"), ("d", "7"), ("e", "8"));
            Assert.Contains("\"d\"", (await reader.NextLinesAsync(2))[1], StringComparison.Ordinal);

            using var again = await server.ListenAsync("/sse/test?where=t=7", lines[0]["id: ".Length..]);
            Assert.Contains("\"d\"", (await again.NextLinesAsync(2))[1], StringComparison.Ordinal);
            await PutAsync(server, ("f", "8"), ("g", "7"));
            Assert.Contains("\"g\"", (await again.NextLinesAsync(2))[1], StringComparison.Ordinal);
        }

        using var whole = await server.ListenAsync("/c/test?from=earliest&where=t=7");
        Assert.Equal(["a", "d", "g"], Bodies(await whole.NextLinesAsync(3)));
    }

    [Theory]
    [InlineData("/sse/test?from=earliest&where=t=7")]
    [InlineData("/sse/test?from=earliest&where=t=7&format=raw")]
    [InlineData("/c/test?from=earliest&where=t=7")]
    public async Task A_stream_that_is_passed_over_for_long_is_told_its_cursor(string path)
    {
        const int Others = 1500;
        await using var server = await PushServer.StartAsync();
        using (await server.ListenAsync("/c/test"))
        {
            await PutManyAsync(server, Others);
            await PushServer.UntilAsync(() => server.Store.GetQueueAsync(server.Queue).AsTask().Result?.Position.NextOffset == Others + 1);
        }

        using var stream = await server.ListenAsync(path);
        var line = await stream.NextLineAsync();

        var epoch = (await server.Store.GetQueueAsync(server.Queue))!.Position.Epoch;
        var cursor = line.StartsWith("id: ", StringComparison.Ordinal)
            ? line["id: ".Length..]
            : JsonDocument.Parse(line).RootElement.GetProperty("cursor").GetString()!;
        Assert.StartsWith($"{epoch}.", cursor, StringComparison.Ordinal);
        Assert.InRange(long.Parse(cursor[(epoch.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture), 1000, Others);

        // It resumes there: nothing between was for it, and nothing after is lost.
        using var again = await server.ListenAsync("/c/test?where=t=7&from=" + cursor);
        await PutAsync(server, ("match", "7"));
        string next;
        do
        {
            next = await again.NextLineAsync();
        }
        while (next.Contains("\"event\":\"cursor\"", StringComparison.Ordinal));

        Assert.Equal(["match"], Bodies([next]));
    }

    [Fact]
    public async Task Under_roundrobin_a_consumer_is_passed_over_for_what_does_not_match()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        using var seven = await server.ListenAsync("/c/test?where=t=7");
        using var eight = await server.ListenAsync("/c/test?where=t=8");

        await PutAsync(server, ("a", "9"), ("b", "8"), ("c", null), ("d", "7"), ("e", "8"));

        Assert.Equal(["d"], Bodies(await seven.NextLinesAsync(1)));
        Assert.Equal(["b", "e"], Bodies(await eight.NextLinesAsync(2)));
        await UntilReadyAsync(server, 2);

        // A consumer of all messages gets what the others were passed over for.
        using var any = await server.ListenAsync("/c/test");
        Assert.Equal(["a", "c"], Bodies(await any.NextLinesAsync(2)));
    }

    [Fact]
    public async Task Under_roundrobin_consumers_with_and_without_a_filter_take_turns()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        using var any = await server.ListenAsync("/c/test");
        using var seven = await server.ListenAsync("/c/test?where=t=7");

        await PutManyAsync(server, 100, "7");

        // A search that was in vain may rest for a turn, so that the shares are about equal.
        var ofAny = Task.Run(() => any.NextLinesAsync(25));
        var ofSeven = Task.Run(() => seven.NextLinesAsync(25));
        Assert.Equal(50, (await ofAny.WithTimeout()).Concat(await ofSeven.WithTimeout()).Distinct().Count());
        await UntilReadyAsync(server, 0);
    }

    [Fact]
    public async Task Under_roundrobin_a_full_consumer_with_a_filter_goes_on_when_it_acks()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        using var seven = await server.ListenAsync("/c/test?ack=manual&where=t=7");
        using var eight = await server.ListenAsync("/c/test?ack=manual&where=t=8");
        await PutAsync(server, ("a", "7"), ("b", "7"), ("c", "8"));

        var first = JsonDocument.Parse(await seven.NextLineAsync()).RootElement;
        Assert.Equal(["c"], Bodies(await eight.NextLinesAsync(1)));
        Assert.True(Receipt.TryParse(first.GetProperty("receipt").GetString(), out var receipt));
        var key = new LeaseKey(MessageId.Parse(first.GetProperty("id").GetString()!), receipt);
        Assert.Equal([QueueError.None], await server.Store.AckAsync(server.Queue, [key]).AsTask().WithTimeout());

        Assert.Equal(["b"], Bodies(await seven.NextLinesAsync(1)));
    }

    private static Task UntilReadyAsync(PushServer server, int ready) =>
        PushServer.UntilAsync(() => server.Store.GetQueueAsync(server.Queue).AsTask().Result is { Leased: 0 } info && info.Ready == ready);

    private static IEnumerable<string> Bodies(IEnumerable<string> lines) =>
        lines.Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("body").GetString()!);

    private static async Task PutAsync(PushServer server, params (string Body, string? T)[] messages)
    {
        foreach (var (body, t) in messages)
        {
            var put = await server.Store.PutAsync(server.Queue, t is null ? Message(body) : Message(body, ("t", t)));
            Assert.True(put.Ok);
        }
    }

    private static async Task PutManyAsync(PushServer server, int count, string t = "8") => Assert.True(
        (await server.Store.PutManyAsync(server.Queue, [.. Enumerable.Range(0, count).Select(i => Message($"m{i}", ("t", t)))])).Ok);

    private static NewMessage Message(string body, params (string Name, string Value)[] headers)
    {
        var builder = new MessageHeadersBuilder();
        foreach (var (name, value) in headers)
        {
            Assert.Null(builder.Add(name, value));
        }

        return new NewMessage { Body = Encoding.UTF8.GetBytes(body), ContentType = "text/plain", Headers = builder.Build() };
    }
}
