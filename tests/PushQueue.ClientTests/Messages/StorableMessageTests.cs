using System.Collections.Concurrent;
using System.Text.Json;
using PushQueue.Client;
using PushQueue.ClientTests.Cli;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Messages;

/// <summary>Whatever the server stores, every consumer gets it and lives on: by each request, stream and worker of the client and of the
/// tool.</summary>
public sealed class StorableMessageTests : NodeTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    private static string[] Ids { get; } = [.. StorableMessages.All.Select(message => message.Id)];

    public static TheoryData<ConsumeTransport, string> Streams { get; } =
        [.. from transport in Enum.GetValues<ConsumeTransport>() from policy in (string[])["broadcast", "roundrobin"] select (transport,
            policy)];

    [Fact]
    public async Task A_take_of_one_gives_every_byte_and_the_content_type()
    {
        var queue = await FilledQueueAsync("roundrobin");

        foreach (var message in StorableMessages.All)
        {
            var taken = await Node.Client.TakeAsync(queue).WithTimeout();
            Assert.Equal((message.Id, message.ContentType), (taken!.Id, taken.ContentType));
            Assert.Equal(message.Body, taken.Body.ToArray());
        }
    }

    [Theory]
    [InlineData("take")]
    [InlineData("lease")]
    [InlineData("browse")]
    public async Task Requests_for_many_give_every_message(string way)
    {
        var queue = await FilledQueueAsync("roundrobin");

        var got = new List<Message>();
        while (got.Count < Ids.Length)
        {
            got.AddRange(way switch
            {
                "take" => await Node.Client.TakeManyAsync(queue, 1000).WithTimeout(),
                "lease" => await Node.Client.LeaseManyAsync(queue, 1000, Lease).WithTimeout(),
                _ => await Node.Client.BrowseAsync(queue).ToListAsync().AsTask().WithTimeout(),
            });
        }

        AssertAll(got);
    }

    [Fact]
    public async Task A_look_at_one_message_gives_it()
    {
        var queue = await FilledQueueAsync("roundrobin");

        var found = new List<Message>();
        foreach (var id in Ids)
        {
            found.Add((await Node.Client.FindAsync(queue, id).WithTimeout())!);
        }

        AssertAll(found);
        Assert.All(found, message => Assert.Equal("ready", message.Resting?.State));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_stream_gives_every_message(ConsumeTransport transport, string policy)
    {
        var queue = await FilledQueueAsync(policy);
        var options = new ConsumeOptions { Transport = transport, From = policy == "broadcast" ? "earliest" : null };

        AssertAll(await Node.Client.ConsumeAsync(queue, options).Take(Ids.Length).ToListAsync().AsTask().WithTimeout());
    }

    [Theory]
    [InlineData(ConsumeTransport.WebSocket)]
    [InlineData(ConsumeTransport.SignalR)]
    [InlineData(ConsumeTransport.ServerSentEvents)]
    [InlineData(ConsumeTransport.Lines)]
    public async Task A_worker_handles_every_message(ConsumeTransport transport)
    {
        var queue = await FilledQueueAsync("roundrobin");
        var handled = new ConcurrentQueue<Message>();
        using var stop = new CancellationTokenSource();
        var options = new HandlerOptions { Consume = new ConsumeOptions { Transport = transport } };
        var running = Node.Client.HandleAsync(queue, (message, _) => HandleAsync(message), options, stop.Token);

        await Waiting.UntilAsync(() => handled.Count == Ids.Length || running.IsCompleted, "every message");
        await stop.CancelAsync();
        await running.WithTimeout();

        AssertAll([.. handled]);

        Task HandleAsync(Message message)
        {
            handled.Enqueue(message);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_worker_that_cannot_read_a_message_as_its_type_dead_letters_it_with_the_reason_and_handles_the_others()
    {
        var queue = await FilledQueueAsync("roundrobin");
        using var stop = new CancellationTokenSource();
        var running = Node.Client.HandleAsync(
            queue, (message, _) => Task.FromResult(message.Read(TestJson.Default.Order)), stopping: stop.Token);

        await Waiting.UntilAsync(
            async () =>
            running.IsCompleted || await Node.Client.GetQueueAsync(queue) is { Ready: 0, Leased: 0 }, "every message to be handled");
        await stop.CancelAsync();
        await running.WithTimeout();

        var dead = await Node.Client.BrowseAsync(queue + ".dead").ToListAsync().AsTask().WithTimeout();
        Assert.Contains(dead, message =>
            message.Id == "last" && message.Resting?.LastError?.Contains("cannot be read as Order", StringComparison.Ordinal) is true);
        Assert.True(dead.Count > Ids.Length / 2, $"{dead.Count} of {Ids.Length} messages were dead-lettered.");
    }

    [Theory]
    [InlineData("take", "--count", "1000")]
    [InlineData("peek", "--limit", "1000")]
    [InlineData("listen", "--transport", "websocket", "--count", "all")]
    [InlineData("listen", "--transport", "signalr", "--count", "all")]
    [InlineData("listen", "--transport", "sse", "--count", "all")]
    [InlineData("listen", "--transport", "lines", "--count", "all")]
    [InlineData("listen", "--ack", "--count", "all")]
    public async Task The_tool_prints_every_message_as_a_line_of_JSON(string command, params string[] options)
    {
        var queue = await FilledQueueAsync("roundrobin");

        var result = await Tool.RunAsync(
            Node.Proxy.Address, null, [command, queue, "--json", .. options.Select(option => option == "all" ? $"{Ids.Length}" : option)]);

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Equal(Ids, result.Lines.Select(IdOf));
    }

    [Theory]
    [InlineData("take", "--count", "1000")]
    [InlineData("listen", "--count", "all")]
    public async Task The_tool_prints_every_body(string command, params string[] options)
    {
        var queue = await FilledQueueAsync("roundrobin");

        var result = await Tool.RunAsync(
            Node.Proxy.Address, null, [command, queue, .. options.Select(option => option == "all" ? $"{Ids.Length}" : option)]);

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.EndsWith("last\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tool_runs_its_command_for_every_message()
    {
        var queue = await FilledQueueAsync("roundrobin");
        using var worker = Tool.Start(Node.Proxy.Address, "worker", queue, "--concurrency", "4", "--exec", "cat > /dev/null");
        try
        {
            await Waiting.UntilAsync(
                async () =>
                worker.HasExited || await Node.Client.GetQueueAsync(queue) is { Ready: 0, Leased: 0 }, "every message to be handled");

            Assert.False(worker.HasExited, "The worker ended.");
            Assert.Null(await Node.Client.GetQueueAsync(queue + ".dead").WithTimeout());
        }
        finally
        {
            worker.Kill(entireProcessTree: true);
            await worker.WaitForExitAsync().WithTimeout();
        }
    }

    [Theory]
    [InlineData('x', 3000)]
    [InlineData('\u00e9', 3000)]
    [InlineData('\u4e2d', 3000)]
    [InlineData('%', 3000)]
    [InlineData('\ud83d', 3000)]
    [InlineData('\n', 10)]
    public async Task A_long_error_is_shortened_and_kept(char character, int count)
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "x").WithTimeout();
        var leased = await Node.Client.LeaseAsync(queue, Lease).WithTimeout();

        Assert.True(await leased!.ReleaseAsync(error: new string(character, count)).WithTimeout());

        var error = (await Node.Client.FindAsync(queue, leased.Id).WithTimeout())!.Resting!.LastError!;
        Assert.InRange(error.Length, Math.Min(count, 300), 1000);
    }

    [Fact]
    public async Task Deep_JSON_is_put_by_batches_and_by_the_tool()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        var deep = new string('[', 500) + new string(']', 500);

        await Node.Client.PutManyAsync(
            queue, [new PutMessage(System.Text.Encoding.ASCII.GetBytes(deep), "application/json")]).WithTimeout();
        Assert.Equal(0, (await Tool.RunAsync(Node.Proxy.Address, deep + "\n", "put", queue)).ExitCode);
        Assert.Equal(0, (await Tool.RunAsync(Node.Proxy.Address, null, "put", queue, deep)).ExitCode);

        var taken = await Node.Client.TakeManyAsync(queue, 3).WithTimeout();
        Assert.Equal([(deep, "application/json"), (deep, "application/json"), (deep, "application/json")], taken.Select(
            message => (message.Text, message.ContentType)));
    }

    private async Task<string> FilledQueueAsync(string policy)
    {
        var queue = await Node.NewQueueAsync(policy);
        foreach (var message in StorableMessages.ToPut())
        {
            await Node.Client.PutAsync(queue, message).WithTimeout();
        }

        return queue;
    }

    private static void AssertAll(IReadOnlyList<Message> got)
    {
        Assert.Equal(Ids, got.Select(message => message.Id));
        Assert.All(StorableMessages.All.Zip(got), pair =>
        {
            Assert.Equal(MediaType(pair.First.ContentType), MediaType(pair.Second.ContentType), ignoreCase: true);
            Assert.Equal(OneLine(pair.First), OneLine(pair.First with { Body = pair.Second.Body.ToArray() }));
        });
    }

    /// <summary>An envelope leaves out what its body shows: that it is JSON or text.</summary>
    private static string MediaType(string contentType) => contentType.Split(';')[0];

    /// <summary>Streams of lines may give line ends between the tokens of JSON as spaces.</summary>
    private static byte[] OneLine(StorableMessage message) => message.ContentType.Contains("json", StringComparison.OrdinalIgnoreCase)
        ? Array.ConvertAll(message.Body, one => one is (byte)'\n' or (byte)'\r' ? (byte)' ' : one)
        : message.Body;

    private static string IdOf(string line)
    {
        using var json = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 1000 });
        return json.RootElement.GetProperty("id").GetString()!;
    }
}
