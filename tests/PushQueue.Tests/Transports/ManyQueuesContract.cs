using System.Text.Json;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Streams over many queues, over every transport and both stores.</summary>
public abstract partial class ManyQueuesContract : IAsyncLifetime
{
    private protected PushQueueServer Server { get; private set; } = null!;

    public static TheoryData<string> Transports => ManyStream.Transports;

    public async ValueTask InitializeAsync() => Server = await StartAsync(null);

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private protected abstract Task<PushQueueServer> StartAsync(Action<PushQueueOptions>? configure);

    private protected Task<ManyStream> OpenAsync(string transport, string query, ManyStream? after = null) =>
        ManyStream.OpenAsync(Server, transport, query, after);

    private protected async Task PutAsync(string queue, params string[] bodies)
    {
        foreach (var body in bodies)
        {
            var answer = await Server.PostAsync($"/q/{queue}", body);
            Assert.True(answer.Status is 201, answer.Text);
        }
    }

    private async Task PutWithHeaderAsync(string queue, string body, string header)
    {
        var answer = await Server.PostAsync(
            "/queue",
            $$"""{"cmd":"put","queue":"{{queue}}","value":"{{body}}","contentType":"text/plain","headers":{"{{header}}":"7"} }""");
        Assert.True(answer.Text.Contains("\"ok\":true", StringComparison.Ordinal), answer.Text);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Messages_of_all_queues_come_and_name_their_queue(string transport)
    {
        await PutAsync("orders.eu", "before");
        await using var stream = await OpenAsync(transport, "queue=a&queue=b&match=orders.*");
        await PutAsync("a", "one");
        await PutAsync("b", "two");
        await PutAsync("orders.eu", "three");

        var messages = await stream.NextMessagesAsync(4);

        Assert.Equal(["a", "b", "orders.eu"], stream.Queues.Order());
        Assert.Equal(["a:one", "b:two", "orders.eu:before", "orders.eu:three"], messages.Order());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_reconnect_resumes_every_queue_without_a_loss_and_nothing_comes_twice(string transport)
    {
        await using var others = await OpenAsync("c", "queue=a&queue=b&queue=c&match=x.*");
        await using var stream = await OpenAsync(transport, "queue=a&queue=b&queue=c&match=x.*");
        await PutAsync("a", "a1", "a2");
        await PutAsync("b", "b1");
        await PutAsync("x.1", "x1");
        var first = await MessagesAsync(stream, 4);
        await stream.DisposeAsync();
        await PutAsync("a", "a3");
        await PutAsync("c", "c1", "c2");
        await PutAsync("x.1", "x2");
        await PutAsync("x.2", "y1");
        _ = await MessagesAsync(others, 9);

        await using var again = await OpenAsync(transport, "queue=b&queue=a&queue=c&match=x.*", stream);
        var second = await MessagesAsync(again, 5);
        await PutAsync("b", "b2");
        second.AddRange(await MessagesAsync(again, 1));

        Assert.Equal(["a:a1", "a:a2", "b:b1", "x.1:x1"], first.Order());
        Assert.Equal("a:a3, b:b2, c:c1, c:c2, x.1:x2, x.2:y1", string.Join(", ", second.Order()));
    }

    [Fact]
    public async Task Each_id_of_an_event_resumes_right_behind_its_message()
    {
        await using var stream = await OpenAsync("sse", "queue=a&queue=b");
        await PutAsync("a", "1");
        await PutAsync("b", "2");
        await Server.PostAsync("/q/a/batch", "\"3\"\n\"4\"\n\"5\"", "application/x-ndjson");
        await PutAsync("b", "6");
        var (messages, cursors) = (new List<string>(), new List<ManyStream>());
        while (messages.Count < 6)
        {
            messages.Add(ManyStream.TextOf(await stream.NextAsync()));
            await stream.ReadCursorAsync();
            cursors.Add(stream.Copy());
        }

        for (var i = 0; i < 6; i++)
        {
            await using var again = await OpenAsync("sse", "queue=a&queue=b", cursors[i]);
            var rest = await again.NextMessagesAsync(5 - i);

            Assert.Equal(messages.Skip(i + 1).Order(), rest.Order());
        }

        await using var last = await OpenAsync("sse", "queue=a&queue=b", cursors[5]);
        await PutAsync("a", "7");
        Assert.Equal(["a:7"], await last.NextMessagesAsync(1));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_filter_holds_for_every_queue_and_for_those_that_join_later(string transport)
    {
        await using var stream = await OpenAsync(transport, "queue=a&match=x.*&where=tenant");
        await PutWithHeaderAsync("a", "a1", "tenant");
        await PutWithHeaderAsync("a", "a2", "other");
        await PutWithHeaderAsync("x.1", "x1", "other");
        await PutWithHeaderAsync("x.1", "x2", "tenant");
        await PutWithHeaderAsync("a", "a3", "tenant");

        Assert.Equal(["a:a1", "a:a3", "x.1:x2"], (await MessagesAsync(stream, 3)).Order());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Under_roundrobin_a_filter_leaves_what_does_not_fit_to_others(string transport)
    {
        await using var stream = await OpenAsync(transport, "queue=a&queue=b&ack=manual&prefetch=10&where=tenant");
        await PutWithHeaderAsync("a", "a1", "other");
        await PutWithHeaderAsync("a", "a2", "tenant");
        await PutWithHeaderAsync("b", "b1", "tenant");

        Assert.Equal(["a:a2", "b:b1"], (await stream.NextMessagesAsync(2)).Order());
        Assert.Equal("a1", (await Server.GetAsync("/q/a")).Text);
    }

    [Theory]
    [InlineData("sse")]
    [InlineData("command")]
    [InlineData("consume")]
    public async Task The_cursor_passes_over_messages_that_a_filter_leaves_out(string transport)
    {
        const string Query = "queue=a&queue=b&where=tenant";
        await Server.SendAsync("PATCH", "/q/a/settings", """{"history":{"messages":5}}""", "application/json");
        await using var stream = await OpenAsync(transport, Query);
        await Server.PostAsync("/q/a/batch", string.Join('\n', Enumerable.Repeat("1", 1100)), "application/x-ndjson");

        // Each message of the other queue brings a cursor, which contains the position in the first one once that was noted.
        long reached = 0;
        while (reached < 1000)
        {
            await PutWithHeaderAsync("b", "b", "tenant");
            _ = await stream.NextMessagesAsync(1);
            await stream.ReadCursorAsync();
            Assert.True(SetCursor.TryParse(stream.Cursor!, out var cursor));
            reached = Assert.Single(cursor!.PositionsOf(QueueName.Parse("a"))).Offset;
        }

        await stream.DisposeAsync();
        await using var again = await OpenAsync(transport, Query, stream);
        await PutWithHeaderAsync("a", "after", "tenant");

        // History holds few of the messages that were left out; no gap comes for those that the cursor has passed.
        var next = await again.NextAsync();
        while (next.TryGetProperty("event", out _))
        {
            Assert.True(next.GetProperty("from").GetInt64() > reached, next.ToString());
            next = await again.NextAsync();
        }

        Assert.Equal("a:after", ManyStream.TextOf(next));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_queue_that_appears_joins_with_its_first_message(string transport)
    {
        await using var stream = await OpenAsync(transport, "match=orders.*");
        Assert.Empty(stream.Queues);
        await using var other = await OpenAsync("c", "queue=orders.new");
        await PutAsync("orders.new", "first", "second");
        await PutAsync("other", "unwanted");
        await PutAsync("orders.dead", "unwanted");
        await PutAsync("orders.newer", "third");

        var (messages, joined) = await MessagesAndJoinedAsync(stream, 3);

        Assert.Equal(["orders.new:first", "orders.new:second", "orders.newer:third"], messages.Order());
        Assert.Equal(["orders.new", "orders.newer"], joined.Order());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_stream_begins_so_many_messages_back_in_each_queue(string transport)
    {
        await PutAsync("x.1", "x1");
        await using (var first = await OpenAsync("c", "queue=a&match=x.*"))
        {
            await PutAsync("a", "a1", "a2", "a3");
            _ = await MessagesAsync(first, 4);
        }

        await using var stream = await OpenAsync(transport, "queue=a&queue=new&match=x.*&from=-2");
        var unread = stream.Copy();
        Assert.Equal(["a:a2", "a:a3", "x.1:x1"], (await MessagesAsync(stream, 3)).Order());
        await stream.DisposeAsync();

        // The first cursor stands before those messages: a client that lost its connection at once misses none.
        await using var again = await OpenAsync(transport, "queue=a&queue=new&match=x.*", unread);
        await PutAsync("new", "n1");
        Assert.Equal(["a:a2", "a:a3", "new:n1", "x.1:x1"], (await MessagesAsync(again, 4)).Order());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Only_a_pattern_that_ends_in_dead_matches_dead_letter_queues(string transport)
    {
        await PutAsync("orders.dead", "lost");
        await using var all = await OpenAsync(transport, "match=orders.*");
        await using var dead = await OpenAsync(transport, "match=*.dead");
        Assert.Empty(all.Queues);
        Assert.Equal(["orders.dead"], dead.Queues);
        await PutAsync("bills.dead", "late");
        await PutAsync("orders.eu", "live");

        Assert.Equal(["bills.dead:late", "orders.dead:lost"], (await MessagesAsync(dead, 2)).Order());
        Assert.Equal(["orders.eu:live"], await MessagesAsync(all, 1));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_queue_that_is_deleted_leaves_with_a_notice_and_comes_back_when_it_is_made_again(string transport)
    {
        await PutAsync("m.1", "one");
        await using var stream = await OpenAsync(transport, "queue=a&match=m.*");
        await PutAsync("a", "two");
        _ = await stream.NextMessagesAsync(2);

        foreach (var queue in new[] { "a", "m.1" })
        {
            await Server.SendAsync("DELETE", $"/q/{queue}");
            var notice = await stream.NextAsync();
            Assert.Equal(
                ("close", queue, "queue-deleted", false),
                (notice.GetProperty("event").GetString(), notice.GetProperty("queue").GetString(), notice.GetProperty("code").GetString(),
                    notice.GetProperty("reconnect").GetBoolean()));
            await PutAsync(queue, "again");
            JsonElement next;
            while ((next = await stream.NextAsync()).TryGetProperty("event", out _))
            {
                // The queue joins, with a reset where a node remembers offsets of the one before.
            }

            Assert.Equal($"{queue}:again", ManyStream.TextOf(next));
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_gap_is_reported_for_the_queue_that_has_it(string transport)
    {
        await Server.SendAsync("PATCH", "/q/a/settings", """{"history":{"messages":2}}""", "application/json");
        await using var others = await OpenAsync("c", "queue=a&queue=b");
        await using var stream = await OpenAsync(transport, "queue=a&queue=b");
        await stream.DisposeAsync();
        await PutAsync("b", "b1");
        await PutAsync("a", "a1", "a2", "a3", "a4", "a5");
        _ = await MessagesAsync(others, 6);

        await using var again = await OpenAsync(transport, "queue=a&queue=b", stream);
        var got = new List<JsonElement>();
        while (got.Count < 4)
        {
            got.Add(await again.NextAsync());
        }

        var gap = Assert.Single(got, static one => one.TryGetProperty("event", out _));
        Assert.Equal(
            ("gap", "a", 1, 3, "expired"),
            (gap.GetProperty("event").GetString(), gap.GetProperty("queue").GetString(), gap.GetProperty("from").GetInt32(),
                gap.GetProperty("to").GetInt32(), gap.GetProperty("cause").GetString()));
        Assert.True(gap.TryGetProperty("position", out _) && !gap.TryGetProperty("cursor", out _));
        Assert.Equal(
            ["a:a4", "a:a5", "b:b1"], got.Where(static one => !one.TryGetProperty("event", out _)).Select(ManyStream.TextOf).Order());
    }

    [Theory]
    [InlineData("c")]
    [InlineData("sse")]
    [InlineData("ws")]
    public async Task More_queues_than_have_an_id_in_front_of_each_message_resume_by_cursors_now_and_then(string transport)
    {
        var query = string.Join('&', Enumerable.Range(0, 40).Select(static i => $"queue=q{i}"));
        await using var others = await OpenAsync("c", query);
        await using var stream = await OpenAsync(transport, query);
        await PutAsync("q1", "one");
        await PutAsync("q39", "two");
        _ = await stream.NextMessagesAsync(2);
        await stream.ReadCursorAsync();
        await PutAsync("q1", "three");
        _ = await stream.NextMessagesAsync(1);
        await stream.DisposeAsync();
        await PutAsync("q1", "four");
        await PutAsync("q2", "five");
        _ = await MessagesAsync(others, 5);

        await using var again = await OpenAsync(transport, query, stream);

        Assert.Equal(["q1:four", "q2:five"], (await again.NextMessagesAsync(2)).Order());
    }

    [Theory]
    [InlineData("c")]
    [InlineData("ws")]
    public async Task A_stream_begins_where_it_says(string transport)
    {
        await using var others = await OpenAsync("c", "queue=a&queue=b");
        await PutAsync("a", "one");
        await PutAsync("b", "two");
        _ = await others.NextMessagesAsync(2);

        await using var earliest = await OpenAsync(transport, "queue=a&queue=b&from=earliest");
        await using var latest = await OpenAsync(transport, "queue=a&queue=b&from=latest");
        await PutAsync("b", "three");

        Assert.Equal(["a:one", "b:three", "b:two"], (await earliest.NextMessagesAsync(3)).Order());
        Assert.Equal(["b:three"], await latest.NextMessagesAsync(1));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Under_roundrobin_receipts_name_their_queue_and_prefetch_counts_for_all_queues_together(string transport)
    {
        await using var stream = await OpenAsync(transport, "queue=a&queue=b&match=w.*&ack=manual&prefetch=2");
        await PutAsync("a", "a1", "a2", "a3");
        await PutAsync("b", "b1");
        await PutAsync("w.1", "w1");
        var (done, got) = (new List<string>(), 0);
        var held = new Queue<JsonElement>();
        while (got < 5)
        {
            var next = await stream.NextAsync();
            if (next.TryGetProperty("event", out _))
            {
                continue;
            }

            got++;
            held.Enqueue(next);
            Assert.True(await InFlightAsync() <= 2, "More messages are in flight than prefetch allows.");
            while (held.Count == 2 || (got == 5 && held.Count > 0))
            {
                var message = held.Dequeue();
                var queue = message.GetProperty("queue").GetString();
                var ack = await Server.PostAsync(
                    $"/q/{queue}/messages/{message.GetProperty("id").GetString()}/ack"
                        + $"?receipt={message.GetProperty("receipt").GetString()}");
                Assert.Equal(204, ack.Status);
                done.Add(ManyStream.TextOf(message));
            }
        }

        Assert.Equal(["a:a1", "a:a2", "a:a3", "b:b1", "w.1:w1"], done.Order());

        async Task<long> InFlightAsync() =>
            (await Server.GetAsync("/q")).Json.GetProperty("queues").EnumerateArray()
                .Sum(static queue => queue.GetProperty("leased").GetInt64());
    }

    [Theory]
    [InlineData("c")]
    [InlineData("command")]
    public async Task A_busy_queue_under_roundrobin_leaves_turns_to_the_others(string transport)
    {
        await using var stream = await OpenAsync(transport, "queue=busy&queue=quiet&ack=manual&prefetch=1");
        await Server.PostAsync("/q/busy/batch", string.Join('\n', Enumerable.Repeat("1", 100)), "application/x-ndjson");
        var order = new List<string>();
        while (!order.Contains("quiet"))
        {
            var message = await stream.NextAsync();
            order.Add(message.GetProperty("queue").GetString()!);
            Assert.True(order.Count < 20, "The quiet queue never gets a turn.");
            if (order.Count == 1)
            {
                await PutAsync("quiet", "q");
            }

            await Server.PostAsync(
                $"/q/{order[^1]}/messages/{message.GetProperty("id").GetString()}/ack"
                    + $"?receipt={message.GetProperty("receipt").GetString()}");
        }
    }

    [Fact]
    public async Task A_queue_that_is_too_busy_for_the_buffer_is_read_on_from_history_and_the_others_come_through()
    {
        await using var server = await StartAsync(static options => options.Delivery.BufferBytesMax = 64 * 1024);
        await using var stream = await ManyStream.OpenAsync(server, "c", "queue=busy&queue=quiet");
        const int Batches = 30;
        var body = $"\"{new string('x', 1000)}\"";
        var batch = string.Join('\n', Enumerable.Repeat(body, 200));
        for (var i = 0; i < Batches; i++)
        {
            Assert.Equal(201, (await server.PostAsync("/q/busy/batch", batch, "application/x-ndjson")).Status);
            Assert.Equal(201, (await server.PostAsync("/q/quiet", "q")).Status);
        }

        var (busy, quiet) = (0L, 0L);
        while (busy < Batches * 200 || quiet < Batches)
        {
            var message = await stream.NextAsync();
            Assert.False(message.TryGetProperty("event", out _), message.ToString());
            var offset = message.GetProperty("offset").GetInt64();
            if (message.GetProperty("queue").GetString() == "busy")
            {
                Assert.Equal(++busy, offset);
            }
            else
            {
                Assert.Equal(++quiet, offset);
            }
        }
    }

    public static TheoryData<string, string> BadRequests
    {
        get
        {
            var many = string.Join('&', Enumerable.Range(0, 101).Select(static i => $"queue=q{i}"));
            var requests = new TheoryData<string, string>();
            foreach (var path in new[] { "/sse", "/c", "/ws" })
            {
                requests.Add($"{path}?queue=", "bad-option");
                requests.Add($"{path}?{many}", "bad-option");
                requests.Add($"{path}?queue=a&queue=a", "bad-option");
                requests.Add($"{path}?queue=a%2Fb", "bad-option");
                requests.Add($"{path}?match=", "bad-option");
                requests.Add($"{path}?match=a%0Ab", "bad-option");
                requests.Add($"{path}?match={new string('a', 300)}", "bad-option");
                requests.Add($"{path}?queue=a&from=7", "bad-option");
                requests.Add($"{path}?queue=a&from=9734a72f.3", "bad-option");
                requests.Add($"{path}?queue=a&from=AQAAAAA", "bad-option");
                requests.Add($"{path}?queue=a&lastEventId=nonsense", "bad-option");
                requests.Add($"{path}?queue=a&ack=manual&grace=5s", "bad-option");
                requests.Add($"{path}?queue=a&fly=1", "bad-option");
                requests.Add($"{path}?queue=a&from=earliest&from=latest", "bad-option");
            }

            requests.Add("/sse", "bad-option");
            requests.Add("/c", "bad-option");
            return requests;
        }
    }

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task A_request_that_is_wrong_is_refused_and_leaves_nothing(string path, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (path.StartsWith("/ws", StringComparison.Ordinal))
        {
            request.Headers.Add("Connection", "Upgrade");
            request.Headers.Add("Upgrade", "websocket");
            request.Headers.Add("Sec-WebSocket-Version", "13");
            request.Headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        }

        var answer = await Server.SendAsync(request);

        Assert.Equal((400, type), (answer.Status, answer.Problem));
        Assert.Equal(0, (await Server.GetAsync("/q")).Json.GetProperty("total").GetInt32());
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("forged")]
    [InlineData("another")]
    [InlineData("long")]
    public async Task A_cursor_that_is_damaged_or_of_another_stream_is_refused(string kind)
    {
        await using var stream = await OpenAsync("c", "queue=a&queue=b");
        await using var another = await OpenAsync("c", "queue=a&queue=c");
        var good = stream.Cursor!;
        var cursor = kind switch
        {
            "cut" => good[..^2],
            "forged" => good[..8] + (good[8] == 'A' ? 'B' : 'A') + good[9..],
            "another" => another.Cursor!,
            _ => new string('A', 1024 * 1024),
        };
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{Server.Address.Authority}/ws"), CancellationToken.None).WithTimeout();
        await socket.SendAsync($$"""{"cmd":"subscribe","queues":["a","b"],"from":"{{cursor}}"}""");
        var answer = await socket.NextOfAllAsync();

        Assert.Contains("\"error\":\"bad-option\"", answer, StringComparison.Ordinal);
        await socket.SendAsync($$"""{"cmd":"subscribe","queues":["a","b"],"from":"{{good}}"}""");
        Assert.Contains("\"ok\":true", await socket.NextOfAllAsync(), StringComparison.Ordinal);
        await socket.SendAsync("""{"cmd":"subscribe","queues":["c"]}""");
        Assert.Contains("unsubscribe first", await socket.NextOfAllAsync(), StringComparison.Ordinal);
        await socket.SendAsync("""{"cmd":"unsubscribe"}""");
        Assert.Contains("\"ok\":true", await socket.NextOfAllAsync(), StringComparison.Ordinal);
        await socket.SendAsync("""{"cmd":"unsubscribe"}""");
        Assert.Contains("\"error\":\"not-found\"", await socket.NextOfAllAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_asks_for_a_policy_that_one_queue_does_not_have_changes_no_queue()
    {
        await Server.PostAsync("/p/b?policy=broadcast");

        var answer = await Server.GetAsync("/c?queue=a&queue=b&policy=roundrobin");

        Assert.Equal((409, "wrong-policy"), (answer.Status, answer.Problem));
        Assert.Equal(1, (await Server.GetAsync("/q")).Json.GetProperty("total").GetInt32());
    }

    private protected static async Task<List<string>> MessagesAsync(ManyStream stream, int count) =>
        (await MessagesAndJoinedAsync(stream, count)).Messages;

    private static async Task<(List<string> Messages, List<string> Joined)> MessagesAndJoinedAsync(ManyStream stream, int count)
    {
        var (messages, joined) = (new List<string>(), new List<string>());
        while (messages.Count < count)
        {
            var next = await stream.NextAsync();
            if (!next.TryGetProperty("event", out var kind))
            {
                messages.Add(ManyStream.TextOf(next));
                continue;
            }

            Assert.Equal("subscribed", kind.GetString());
            joined.Add(next.GetProperty("queue").GetString()!);
        }

        return (messages, joined);
    }
}
