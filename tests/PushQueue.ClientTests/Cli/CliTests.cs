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
        Assert.Equal((0, "1\thello\n2\t{\"a\":1}\n"), Short(await RunAsync("peek", queue)));
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
        var lines = await Tool.RunAsync(
            Node.Proxy.Address, string.Concat(Enumerable.Range(0, 2500).Select(i => $"{i}\n")), "put", queue, "--json");
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
    public async Task Listen_to_many_queues_resumes_all_of_them()
    {
        var (one, two) = (await Node.NewQueueAsync("broadcast"), await Node.NewQueueAsync("broadcast"));
        using var folder = new TemporaryDirectory();

        // Server-sent events have the exact cursor with each message.
        string[] listen = ["listen", one, two, "--transport", "sse", "--count", "1", "--resume", Path.Combine(folder.Path, "cursor")];
        await Node.Client.PutAsync(one, "a").WithTimeout();
        await Node.Client.PutAsync(two, "b").WithTimeout();

        var first = await RunAsync([.. listen, "--from", "earliest"]);
        var second = await RunAsync(listen);

        Assert.Equal([(0, "a\n"), (0, "b\n")], new[] { Short(first), Short(second) }.Order());
    }

    [Fact]
    public async Task Queues_and_one_queue()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        await RunAsync("put", queue, "x");

        Assert.Contains(queue, (await RunAsync("queues")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', (await RunAsync("queues")).Output);
        Assert.Contains((await RunAsync("queues", "--json")).Lines, line => Json(line).GetProperty("queue").GetString() == queue);
        Assert.Equal(1, Json((await RunAsync("queue", "show", queue, "--json")).Output).GetProperty("ready").GetInt32());
        Assert.Equal((0, "broadcast\n"), Short(await RunAsync("queue", "policy", queue, "broadcast")));
        Assert.Equal("45s", Json((await RunAsync("queue", "settings", queue, "ttr=45s", "--json")).Output).GetProperty("ttr").GetString());
        Assert.Equal(2, (await RunAsync("queue", "settings", queue, "nonsense=1")).ExitCode);
        var subscribed = await RunAsync("queue", "settings", queue, $"subscriptions={queue}.a from earliest, {queue}.b");
        Assert.Contains($"{queue}.a from earliest, {queue}.b", subscribed.Output, StringComparison.Ordinal);
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

    [Theory]
    [InlineData("TERM", null)]
    [InlineData("INT", null)]
    [InlineData("HUP", null)]
    [InlineData("TERM", "INT")]
    [InlineData("TERM", "HUP")]
    [InlineData("HUP", "INT")]
    public async Task A_worker_that_is_told_to_stop_ends_what_it_has_begun(string signal, string? ignored)
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        using var folder = new TemporaryDirectory();
        var (begun, mayEnd, done) = (Path.Combine(
            folder.Path, "begun"), Path.Combine(folder.Path, "mayEnd"), Path.Combine(folder.Path, "done"));
        await Node.Client.PutAsync(queue, "x").WithTimeout();
        using var worker = Tool.StartIgnoring(
            ignored, Node.Proxy.Address, "worker", queue, "--exec",
            $"touch {begun}; while [ ! -e {mayEnd} ]; do sleep 0.05; done; touch {done}");
        try
        {
            await Waiting.UntilAsync(() => File.Exists(begun), "the command to begin");
            await SignalAsync(signal, worker.Id);
            await File.WriteAllTextAsync(mayEnd, "");
            await worker.WaitForExitAsync().WithTimeout();

            Assert.True(File.Exists(done));
            Assert.Equal(0, worker.ExitCode);
            Assert.Equal((0L, 0L), await Node.Client.GetQueueAsync(queue).WithTimeout() is { } info ? (info.Ready, info.Leased) : (-1, -1));
        }
        finally
        {
            await Tool.EndAsync(worker);
        }
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task Listening_ends_by_a_signal(string signal)
    {
        var queue = await Node.NewQueueAsync("broadcast");
        await Node.Client.PutAsync(queue, "x").WithTimeout();
        using var listener = Tool.Start(Node.Proxy.Address, "listen", queue, "--from", "earliest");
        try
        {
            Assert.Equal("x", await listener.StandardOutput.ReadLineAsync().WithTimeout());

            await SignalAsync(signal, listener.Id);
            await listener.WaitForExitAsync().WithTimeout();

            Assert.Equal(130, listener.ExitCode);
        }
        finally
        {
            await Tool.EndAsync(listener);
        }
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task A_job_in_the_background_ignores_what_its_shell_ignores_and_ends_when_it_is_told_to(string ignored)
    {
        var queue = await Node.NewQueueAsync("broadcast");
        using var listener = Tool.StartIgnoring(ignored, Node.Proxy.Address, "listen", queue);
        try
        {
            await Waiting.UntilAsync(async () => (await Node.Client.GetConsumersAsync(queue)).Count > 0, "somebody to listen");

            await SignalAsync(ignored, listener.Id);
            await Node.Client.PutAsync(queue, "x").WithTimeout();
            Assert.Equal("x", await listener.StandardOutput.ReadLineAsync().WithTimeout());
            await SignalAsync("TERM", listener.Id);
            await listener.WaitForExitAsync().WithTimeout();

            Assert.Equal(130, listener.ExitCode);
        }
        finally
        {
            await Tool.EndAsync(listener);
        }
    }

    [Fact]
    public async Task Bench_counts_and_measures()
    {
        var result = await RunAsync("bench", "--messages", "5000", "--batch", "500", "--consumers", "2", "--json");

        Assert.True(result.ExitCode == 0, result.Output + result.Errors);
        var json = Json(result.Output);
        Assert.Equal((10_000, 0L, 0L),
            (json.GetProperty("received").GetInt32(), json.GetProperty("lost").GetInt64(), json.GetProperty("duplicates").GetInt64()));
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
        Assert.Equal(
            "bad-option", Json((await RunAsync("put", "q", "x", "--priority", "12", "--json")).Errors).GetProperty("error").GetString());
        Assert.Contains("listen", (await RunAsync("[suggest:2]", "li")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("put", "QUEUE", "x", "--dealy", "5m")]
    [InlineData("put", "QUEUE", "--nonsense")]
    [InlineData("put", "QUEUE", "x", "-z")]
    [InlineData("put", "QUEUE", "-5")]
    [InlineData("put", "--at2", "QUEUE", "x")]
    [InlineData("take", "--foo", "QUEUE")]
    [InlineData("peek", "QUEUE", "--foo")]
    [InlineData("queue", "settings", "QUEUE", "--ttr")]
    [InlineData("consumers", "--foo")]
    [InlineData("ack", "QUEUE", "1", "--relase")]
    [InlineData("worker", "QUEUE", "--exec", "cat", "--foo")]
    public async Task A_mistyped_option_is_refused_and_never_a_message(params string[] arguments)
    {
        var queue = await Node.NewQueueAsync("roundrobin");

        var refused = await RunAsync([.. arguments.Select(argument => argument == "QUEUE" ? queue : argument)]);

        Assert.True(refused.ExitCode == 2, $"{refused.ExitCode} {refused.Output}");
        Assert.NotEmpty(refused.Errors);
        Assert.Equal(0, (await Node.Client.GetQueueAsync(queue).WithTimeout())!.Ready);
    }

    [Fact]
    public async Task Arguments_behind_two_dashes_are_messages_whatever_they_begin_with()
    {
        var queue = await Node.NewQueueAsync("roundrobin");

        Assert.Equal(0, (await RunAsync("put", queue, "--priority", "3", "--", "--at", "-", "-5")).ExitCode);

        Assert.Equal(["--at", "-", "-5"], (await Node.Client.TakeManyAsync(queue, 10).WithTimeout()).Select(message => message.Text));
    }

    [Fact]
    public async Task Put_takes_every_option_of_a_put()
    {
        var queue = $"options-{Random.Shared.Next():x}";

        var put = await RunAsync(
            "put", queue, "x", "--id", "a", "--at", "2100-01-01T00:00:00Z", "--priority", "7", "--unique", "u", "--max-attempts", "3",
            "--retry-delay",
            "exponential:1s..5m", "--policy", "roundrobin", "--type", "text/html");

        Assert.Equal((1, ""), Short(put));
        Assert.Contains("at most ten years ahead", put.Errors, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("put", queue, "x", "--id", "a", "--at", "2031-01-01", "--policy", "roundrobin")).ExitCode);
        Assert.Equal("roundrobin", (await Node.Client.GetQueueAsync(queue).WithTimeout())!.Policy);
        Assert.Equal("delayed", (await Node.Client.FindAsync(queue, "a").WithTimeout())!.Resting!.State);
        Assert.Equal((0, "rescheduled\n"), Short(await RunAsync("reschedule", queue, "a", "--delay", "0")));
        Assert.Equal(2, (await RunAsync("reschedule", queue, "a")).ExitCode);
        Assert.Equal((0, "cancelled\n"), Short(await RunAsync("cancel", queue, "a")));
        Assert.Equal(4, (await RunAsync("cancel", queue, "a")).ExitCode);
        Assert.Contains("PushQueue", (await RunAsync("ping")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--id", "i2")]
    [InlineData("--unique", "u")]
    public async Task An_option_of_one_message_is_refused_for_several(string option, string value)
    {
        var queue = await Node.NewQueueAsync("roundrobin");

        Assert.Equal(2, (await RunAsync("put", queue, "x", "y", option, value)).ExitCode);
        Assert.Equal(2, (await Tool.RunAsync(Node.Proxy.Address, "1\n2\n", "put", queue, option, value)).ExitCode);
        Assert.Equal(0, (await Node.Client.GetQueueAsync(queue).WithTimeout())!.Ready);
    }

    [Theory]
    [InlineData("a\nb\n", "text/plain", "a\nb\n", "put", "QUEUE", "-")]
    [InlineData("a\nb\n", "text/plain", "a\nb\n", "put", "QUEUE", "--file", "-")]
    [InlineData("{\"a\":\n1}", "application/json", "{\"a\":\n1}", "put", "QUEUE", "-f", "-")]
    [InlineData("plain text\n", "text/plain", "plain text", "put", "QUEUE", "--type", "text/plain")]
    [InlineData("plain text\n", "text/plain", "plain text", "put", "QUEUE", "--type", "text/plain", "--lines", "--file", "-")]
    [InlineData("\"text\"\n", "application/json", "\"text\"", "put", "QUEUE")]
    public async Task Standard_input_is_one_message_or_lines(string input, string contentType, string body, params string[] arguments)
    {
        var queue = await Node.NewQueueAsync("roundrobin");

        var put = await Tool.RunAsync(Node.Proxy.Address, input, [.. arguments.Select(argument => argument == "QUEUE" ? queue : argument)]);

        Assert.True(put.ExitCode == 0, put.Errors);
        var taken = await Node.Client.TakeAsync(queue).WithTimeout();
        Assert.Equal((contentType, body), (taken!.ContentType, taken.Text));
        Assert.Equal(0, (await Node.Client.GetQueueAsync(queue).WithTimeout())!.Ready);
    }

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("WEBSOCKET")]
    [InlineData("ws")]
    [InlineData("SignalR")]
    [InlineData("SSE")]
    [InlineData("ServerSentEvents")]
    [InlineData("Lines")]
    public async Task A_transport_is_known_however_it_is_written(string transport)
    {
        var queue = await Node.NewQueueAsync("broadcast");
        await Node.Client.PutAsync(queue, "a").WithTimeout();

        Assert.Equal((0, "a\n"), Short(await RunAsync("listen", queue, "--transport", transport, "--from", "earliest", "--count", "1")));
    }

    [Fact]
    public async Task Tables_are_not_cut_in_a_pipe_and_lists_are_lines_of_JSON()
    {
        var queue = new string('n', 200) + $"{Random.Shared.Next():x}";
        await Node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        await Node.Client.PutAsync(queue, "two\nlines\u001b[2J").WithTimeout();
        await Node.Client.PutAsync(queue, PutMessage.Bytes(new byte[] { 0xFF, 0x1B })).WithTimeout();

        var row = Assert.Single((await RunAsync("queues")).Lines, line => line.Contains(queue, StringComparison.Ordinal));
        Assert.Equal(["roundrobin", "started", "2"], row.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..4]);
        Assert.Equal(["1\ttwo\\nlines\\u001b[2J", "2\t(2 bytes of application/octet-stream)"], (await RunAsync("peek", queue)).Lines);
        Assert.Equal("two\nlines\u001b[2J\n", (await RunAsync("peek", queue, "1")).Output);
        await using var messages = Node.Client.ConsumeAsync(queue, new ConsumeOptions { Ack = AckMode.Manual }).GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
        var consumer = Json(Assert.Single((await RunAsync("consumers", queue, "--json")).Lines));
        Assert.EndsWith("Z", consumer.GetProperty("since").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_whose_queue_is_deleted_says_so_and_fails()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        using var worker = Tool.Start(Node.Proxy.Address, "worker", queue, "--exec", "cat");
        try
        {
            await Waiting.UntilAsync(async () => (await Node.Client.GetConsumersAsync(queue)).Count > 0, "the worker");

            await Node.Client.DeleteQueueAsync(queue).WithTimeout();
            await worker.WaitForExitAsync().WithTimeout();

            Assert.Equal(1, worker.ExitCode);
            Assert.Contains(
                $"The queue '{queue}' was deleted", await worker.StandardError.ReadToEndAsync().WithTimeout(), StringComparison.Ordinal);
        }
        finally
        {
            await Tool.EndAsync(worker);
        }
    }

    [Theory]
    [InlineData("worker", "--exec", "cat > done")]
    [InlineData("listen", "--resume", "cursor")]
    public async Task What_runs_for_long_waits_for_a_server_that_is_away(params string[] arguments)
    {
        var queue = await Node.NewQueueAsync(arguments[0] == "worker" ? "roundrobin" : "broadcast");
        using var folder = new TemporaryDirectory();
        await Node.StopServerAsync(kill: false);
        using var tool = Tool.Start(
            Node.Proxy.Address, [arguments[0], queue, .. arguments[1..].Select(
            argument => argument.Replace("done", $"{folder.Path}/done").Replace("cursor", $"{folder.Path}/cursor"))]);
        try
        {
            Assert.StartsWith(
                "pushqueue: Connecting again: ", await tool.StandardError.ReadLineAsync().WithTimeout(), StringComparison.Ordinal);

            await Node.StartServerAsync();
            _ = await Node.Client.ChangeSettingsAsync(
                queue, new QueueSettingsChange { Policy = arguments[0] == "worker" ? "roundrobin" : "broadcast" }).WithTimeout();
            await Waiting.UntilAsync(async () => (await Node.Client.GetConsumersAsync(queue)).Count > 0, "the tool to be there");
            await Node.Client.PutAsync(queue, "late").WithTimeout();

            if (arguments[0] == "worker")
            {
                await Waiting.UntilAsync(() => File.Exists($"{folder.Path}/done"), "the work");
            }
            else
            {
                Assert.Equal("late", await tool.StandardOutput.ReadLineAsync().WithTimeout());
            }
        }
        finally
        {
            await Tool.EndAsync(tool);
        }
    }

    private static async Task SignalAsync(string signal, int processId)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(
            TimeSpan.FromSeconds(20), Path.GetTempPath(), "kill", $"-{signal}", $"{processId}");
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
