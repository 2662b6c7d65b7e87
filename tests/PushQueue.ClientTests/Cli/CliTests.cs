using System.Text.Json;
using PushQueue.Client;
using PushQueue.ClientTests.Support;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Cli;

/// <summary>Each command as scripts use it: what it prints, and what it ends with.</summary>
public sealed class CliTests : NodeTests
{
    [Fact]
    public async Task Put_take_and_peek()
    {
        var queue = await Node.NewQueueAsync("roundrobin");

        Assert.Equal((0, "1\n2\n"), Short(await RunAsync("put", queue, "hello", """{"a":1}""")));
        Assert.Equal((0, "hello\n"), Short(await RunAsync("peek", queue, "1")));
        Assert.Equal((0, "hello\n"), Short(await RunAsync("take", queue)));
        var taken = await RunAsync("take", queue, "--json");
        Assert.Equal(1, Json(taken.Output).GetProperty("body").GetProperty("a").GetInt32());
        var nothing = await RunAsync("take", queue);
        Assert.Equal((4, "", $"No message of '{queue}' is ready.\n"), (nothing.ExitCode, nothing.Output, nothing.Errors));
        Assert.Equal((4, ""), Short(await RunAsync("peek", queue)));
    }

    [Fact]
    public async Task Put_reads_a_file_and_lines_of_standard_input()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        using var folder = new TemporaryDirectory();
        var file = Path.Combine(folder.Path, "body");
        await File.WriteAllBytesAsync(file, [0xFF, 0xFE]);

        Assert.Equal(0, (await RunAsync("put", queue, "--file", file)).ExitCode);
        var lines = await Tool.RunAsync(Node.Proxy.Address, string.Concat(Enumerable.Range(0, 2500).Select(i => $"{i}\n")), "put", queue, "--json");
        Assert.Equal(2500, Json(lines.Output).GetProperty("count").GetInt32());
        Assert.Equal(2501, (await Node.Client.GetQueueAsync(queue).WithTimeout())!.Ready);
        Assert.Equal([0xFF, 0xFE], (await Node.Client.TakeAsync(queue).WithTimeout())!.Body.ToArray());
        var broken = await Tool.RunAsync(Node.Proxy.Address, "1\n{oops\n", "put", queue);
        Assert.Equal(2, broken.ExitCode);
        Assert.Contains("Line 2", broken.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("websocket")]
    [InlineData("signalr")]
    [InlineData("sse")]
    [InlineData("lines")]
    public async Task Listen_prints_what_is_pushed_over_any_transport(string transport)
    {
        var queue = await Node.NewQueueAsync("broadcast");
        await Node.Client.PutManyAsync(queue, [PutMessage.Text("a"), PutMessage.Text("b")]).WithTimeout();

        Assert.Equal((0, "a\nb\n"), Short(await RunAsync("listen", queue, "--transport", transport, "--from", "earliest", "--count", "2")));
    }

    [Fact]
    public async Task Listen_resumes_where_it_was()
    {
        var queue = await Node.NewQueueAsync("broadcast");
        using var folder = new TemporaryDirectory();
        var cursor = Path.Combine(folder.Path, "cursor");
        await Node.Client.PutManyAsync(queue, [PutMessage.Text("a"), PutMessage.Text("b")]).WithTimeout();

        Assert.Equal((0, "a\n"), Short(await RunAsync("listen", queue, "--resume", cursor, "--from", "earliest", "--count", "1")));
        Assert.Equal((0, "b\n"), Short(await RunAsync("listen", queue, "--resume", cursor, "--count", "1")));
    }

    [Fact]
    public async Task Listen_that_is_stopped_before_the_first_message_resumes_where_it_began()
    {
        var queue = await Node.NewQueueAsync("broadcast");
        using var folder = new TemporaryDirectory();
        var cursor = Path.Combine(folder.Path, "cursor");
        using var listening = Tool.Start(Node.Proxy.Address, "listen", queue, "--resume", cursor);
        await Waiting.UntilAsync(async () => (await Node.Client.GetConsumersAsync(queue)).Count > 0, "somebody to listen");
        await SignalAsync("TERM", listening.Id);
        await listening.WaitForExitAsync().WithTimeout();
        await Node.Client.PutAsync(queue, "meanwhile").WithTimeout();

        Assert.Equal((0, "meanwhile\n"), Short(await RunAsync("listen", queue, "--resume", cursor, "--count", "1")));
    }

    [Fact]
    public async Task Queues_and_one_queue()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await RunAsync("put", queue, "x");

        Assert.Contains(queue, (await RunAsync("queues")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', (await RunAsync("queues")).Output);
        Assert.Contains(Json((await RunAsync("queues", "--json")).Output).EnumerateArray(), one => one.GetProperty("queue").GetString() == queue);
        Assert.Equal(1, Json((await RunAsync("queue", "show", queue, "--json")).Output).GetProperty("ready").GetInt32());
        Assert.Equal((0, "broadcast\n"), Short(await RunAsync("queue", "policy", queue, "broadcast")));
        Assert.Equal("45s", Json((await RunAsync("queue", "settings", queue, "ttr=45s", "--json")).Output).GetProperty("ttr").GetString());
        Assert.Equal(2, (await RunAsync("queue", "settings", queue, "nonsense=1")).ExitCode);
        Assert.Equal((0, $"{queue} is stopped\n"), Short(await RunAsync("queue", "stop", queue)));
        Assert.Equal((0, $"{queue} is started\n"), Short(await RunAsync("queue", "start", queue)));
        Assert.Equal(2, (await RunAsync("queue", "purge", queue)).ExitCode);
        Assert.Equal((0, $"{queue} is empty, 1 messages removed\n"), Short(await RunAsync("queue", "purge", queue, "--yes")));
        Assert.Equal("45s", Json((await RunAsync("queue", "settings", queue, "--json")).Output).GetProperty("ttr").GetString());
        Assert.Equal(2, (await RunAsync("queue", "delete", queue)).ExitCode);
        Assert.Equal(0, (await RunAsync("queue", "delete", queue, "--yes")).ExitCode);
        Assert.Equal(4, (await RunAsync("queue", "show", queue)).ExitCode);
    }

    [Fact]
    public async Task Ack_and_dead_letters()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await Node.Client.PutAsync(queue, "x", new PutOptions { MaxAttempts = 1 }).WithTimeout();
        var lease = Json((await RunAsync("take", queue, "--ttr", "1m", "--json")).Output).GetProperty("receipt").GetString()!;

        Assert.Equal(1, (await RunAsync("ack", queue, "1", "0123456789abcdef")).ExitCode);
        Assert.Equal(0, (await RunAsync("ack", queue, "1", lease, "--release", "--error", "no luck")).ExitCode);
        Assert.Contains("no luck", (await RunAsync("dead", "list", queue)).Output, StringComparison.Ordinal);
        Assert.Equal((0, "1 put back\n"), Short(await RunAsync("dead", "replay", queue)));
        Assert.Equal(1, (await Node.Client.GetQueueAsync(queue).WithTimeout())!.Ready);
    }

    [Fact]
    public async Task Worker_runs_a_command_for_each_message_while_consumers_and_top_show_it()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        using var folder = new TemporaryDirectory();
        await Node.Client.PutAsync(queue, "bad", new PutOptions { Id = "bad", MaxAttempts = 1 }).WithTimeout();
        await Node.Client.PutAsync(queue, "good", new PutOptions { Id = "good" }).WithTimeout();
        var command = $$"""body=$(cat); [ "$body" = good ] || exit 7; printf '%s' "$body" > "{{folder.Path}}/$PUSHQUEUE_ID" """;
        using var worker = Tool.Start(Node.Proxy.Address, "worker", queue, "--exec", command, "--name", "tool");
        try
        {
            Assert.NotNull(await Node.Client.TakeAsync(queue + ".dead", wait: TimeSpan.FromSeconds(50)).WithTimeout());
            await Waiting.UntilAsync(() => File.Exists(Path.Combine(folder.Path, "good")), "the command's file");
            Assert.Contains("tool", (await RunAsync("consumers", queue)).Output, StringComparison.Ordinal);
            Assert.Contains(queue, (await RunAsync("top", "--once")).Output, StringComparison.Ordinal);
            Assert.True(Json((await RunAsync("top", "--once", "--json")).Output).TryGetProperty("stats", out _));
        }
        finally
        {
            worker.Kill(entireProcessTree: true);
            await worker.WaitForExitAsync().WithTimeout();
        }
    }

    [Fact]
    public async Task A_worker_that_is_told_to_stop_ends_what_it_has_begun()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        using var folder = new TemporaryDirectory();
        var (begun, mayEnd, done) = (Path.Combine(folder.Path, "begun"), Path.Combine(folder.Path, "mayEnd"), Path.Combine(folder.Path, "done"));
        await Node.Client.PutAsync(queue, "x").WithTimeout();
        using var worker = Tool.Start(
            Node.Proxy.Address, "worker", queue, "--exec", $"touch {begun}; while [ ! -e {mayEnd} ]; do sleep 0.05; done; touch {done}");
        try
        {
            await Waiting.UntilAsync(() => File.Exists(begun), "the command to begin");
            await SignalAsync("TERM", worker.Id);
            await File.WriteAllTextAsync(mayEnd, "");
            await worker.WaitForExitAsync().WithTimeout();

            Assert.True(File.Exists(done));
            Assert.Equal(0, worker.ExitCode);
            Assert.Equal((0L, 0L), await Node.Client.GetQueueAsync(queue).WithTimeout() is { } info ? (info.Ready, info.Leased) : (-1, -1));
        }
        finally
        {
            if (!worker.HasExited)
            {
                worker.Kill(entireProcessTree: true);
            }
        }
    }

    [Fact]
    public async Task Listening_ends_by_an_interrupt()
    {
        var queue = await Node.NewQueueAsync("broadcast");
        await Node.Client.PutAsync(queue, "x").WithTimeout();
        using var listener = Tool.Start(Node.Proxy.Address, "listen", queue, "--from", "earliest");
        Assert.Equal("x", await listener.StandardOutput.ReadLineAsync().WithTimeout());

        await SignalAsync("INT", listener.Id);
        await listener.WaitForExitAsync().WithTimeout();

        Assert.Equal(130, listener.ExitCode);
    }

    [Fact]
    public async Task Bench_counts_and_measures()
    {
        var result = await RunAsync("bench", "--messages", "5000", "--batch", "500", "--consumers", "2", "--json");

        Assert.True(result.ExitCode == 0, result.Output + result.Errors);
        var json = Json(result.Output);
        Assert.Equal((10_000, 0L, 0L), (json.GetProperty("received").GetInt32(), json.GetProperty("lost").GetInt64(), json.GetProperty("duplicates").GetInt64()));
        Assert.DoesNotContain("bench-", (await RunAsync("queues")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_goes_wrong_has_an_exit_code_and_one_sentence()
    {
        var down = await Tool.RunAsync(TestNode.DeadAddress(), null, "queues");
        Assert.Equal(3, down.ExitCode);
        Assert.StartsWith("pushqueue: ", down.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", down.Errors, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("nonsense")).ExitCode);
        Assert.Equal(2, (await RunAsync("take", "q", "--wait", "soon")).ExitCode);
        Assert.Equal("bad-option", Json((await RunAsync("put", "q", "x", "--priority", "12", "--json")).Errors).GetProperty("error").GetString());
        Assert.Contains("listen", (await RunAsync("[suggest:2]", "li")).Output, StringComparison.Ordinal);
    }

    private static async Task SignalAsync(string signal, int processId)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(TimeSpan.FromSeconds(20), Path.GetTempPath(), "kill", $"-{signal}", $"{processId}");
        Assert.True(exitCode == 0, output);
    }

    private Task<ToolResult> RunAsync(params string[] arguments) => Tool.RunAsync(Node.Proxy.Address, null, arguments);

    private static (int ExitCode, string Output) Short(ToolResult result) => (result.ExitCode, result.Output);

    private static JsonElement Json(string text)
    {
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }
}
