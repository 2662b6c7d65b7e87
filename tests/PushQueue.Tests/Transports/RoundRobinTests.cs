using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

public sealed class RoundRobinTests
{
    private static readonly QueueSettingsPatch RoundRobin = new() { Policy = DeliveryPolicy.RoundRobin };

    [Fact]
    public async Task Messages_go_in_strict_rotation_over_consumers_of_all_kinds()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(RoundRobin);
        using var comet = await server.ListenAsync("/c/test?format=raw");
        using var events = await server.ListenAsync("/sse/test?format=raw");
        using var socket = await server.ConnectAsync("/ws/test?format=raw");

        for (var i = 0; i < 9; i += 3)
        {
            await server.PutAsync($"{i}", $"{i + 1}", $"{i + 2}");

            Assert.Equal($"{i}", await comet.NextLineAsync());
            Assert.Equal($"data: {i + 1}", await events.NextLineAsync());
            Assert.Equal($"{i + 2}", await socket.NextAsync());
        }

        await UntilEmptyAsync(server);
    }

    [Fact]
    public async Task A_consumer_that_joins_while_a_round_is_under_way_takes_its_turn_in_it()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(RoundRobin);
        var lease = server.HoldNextLease();
        using var first = await server.ListenAsync("/c/test?format=raw");
        await lease.Asked.Task.WithTimeout();
        using var second = await server.ListenAsync("/c/test?format=raw");
        await server.PutAsync("a", "b", "c", "d");

        lease.Released.SetResult();

        Assert.Equal(["a", "c"], await first.NextLinesAsync(2));
        Assert.Equal(["b", "d"], await second.NextLinesAsync(2));
    }

    [Fact]
    public async Task Each_message_reaches_exactly_one_consumer()
    {
        const int Count = 3000;
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(RoundRobin);
        var seen = new List<string>();
        var readers = new List<Task>();
        for (var i = 0; i < 5; i++)
        {
            readers.Add(ReadAsync(await server.ListenAsync("/c/test?format=raw")));
        }

        for (var i = 0; i < Count; i++)
        {
            await server.PutAsync($"{i}");
        }

        await PushServer.UntilAsync(() =>
        {
            lock (seen)
            {
                return seen.Count >= Count;
            }
        });
        await UntilEmptyAsync(server);
        Assert.Equal(Count, seen.Distinct(StringComparer.Ordinal).Count());
        await server.StopAsync();
        await Task.WhenAll(readers);

        async Task ReadAsync(StreamLines stream)
        {
            while (await stream.ReadLineAsync() is { } line)
            {
                lock (seen)
                {
                    if (line.Length > 0 && line[0] != '{')
                    {
                        seen.Add(line);
                    }
                }
            }
        }
    }

    [Fact]
    public async Task A_manual_consumer_holds_no_more_than_its_prefetch_and_gives_all_back_when_it_goes()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(RoundRobin);
        await server.PutAsync("1", "2", "3");
        var socket = await server.ConnectAsync("/ws/test?ack=manual&prefetch=2");
        var first = JsonDocument.Parse(await socket.NextAsync()).RootElement;
        _ = await socket.NextAsync();
        Assert.Equal(1, first.GetProperty("attempt").GetInt32());
        Assert.Equal(2, (await server.Store.GetQueueAsync(server.Queue))!.Leased);

        Assert.True(Receipt.TryParse(first.GetProperty("receipt").GetString(), out var receipt));
        var acked = await server.Store.AckAsync(server.Queue, [new LeaseKey(MessageId.Parse("1"), receipt)]);
        Assert.Equal([QueueError.None], acked);
        Assert.Contains("\"id\":\"3\"", await socket.NextAsync(), StringComparison.Ordinal);
        socket.Abort();

        await server.NobodyIsLeftAsync();
        await PushServer.UntilAsync(() => ReadyAsync().AsTask().GetAwaiter().GetResult() == 2);
        using var next = await server.ConnectAsync("/ws/test?ack=manual");
        Assert.Contains("\"attempt\":2", await next.NextAsync(), StringComparison.Ordinal);

        async ValueTask<long> ReadyAsync() => (await server.Store.GetQueueAsync(server.Queue))!.Ready;
    }

    [Fact]
    public async Task A_lease_that_runs_out_or_is_given_back_gives_its_consumer_the_credit_back()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(RoundRobin);
        using var socket = await server.ConnectAsync("/ws/test?ack=manual&prefetch=1&ttr=200ms");
        await server.PutAsync("a");

        Assert.Contains("\"attempt\":1", await socket.NextAsync(), StringComparison.Ordinal);
        var second = await socket.NextAsync();
        Assert.Contains("\"attempt\":2", second, StringComparison.Ordinal);
        _ = await server.Store.ReleaseAsync(server.Queue, [KeyOf(second)], new ReleaseRequest());
        Assert.Contains("\"attempt\":3", await socket.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_holds_a_message_that_is_cancelled_or_rescheduled_is_told_and_gets_the_next()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(RoundRobin);
        using var socket = await server.ConnectAsync("/ws/test?ack=manual&prefetch=1");
        await server.PutAsync("a", "b", "c");

        Assert.Contains("\"body\":\"a\"", await socket.NextAsync(), StringComparison.Ordinal);
        _ = await server.Store.CancelAsync(server.Queue, MessageId.Parse("1"));
        Assert.Equal("""{"event":"cancel","queue":"test","id":"1"}""", await socket.NextAsync());
        Assert.Contains("\"body\":\"b\"", await socket.NextAsync(), StringComparison.Ordinal);
        _ = await server.Store.RescheduleAsync(server.Queue, MessageId.Parse("2"), DateTimeOffset.UtcNow.AddHours(1));
        Assert.Equal("""{"event":"cancel","queue":"test","id":"2"}""", await socket.NextAsync());
        Assert.Contains("\"body\":\"c\"", await socket.NextAsync(), StringComparison.Ordinal);
    }

    private static LeaseKey KeyOf(string envelope)
    {
        var json = JsonDocument.Parse(envelope).RootElement;
        Assert.True(Receipt.TryParse(json.GetProperty("receipt").GetString(), out var receipt));
        return new LeaseKey(MessageId.Parse(json.GetProperty("id").GetString()!), receipt);
    }

    private static async Task UntilEmptyAsync(PushServer server) =>
        await PushServer.UntilAsync(() => server.Store.GetQueueAsync(server.Queue).AsTask().GetAwaiter().GetResult()!.Waiting == 0);
}
