using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.Tests.Support;
using Xunit;
using static PushQueue.Tests.InProcess.ClientContract;

namespace PushQueue.Tests.InProcess;

/// <summary>The rules for handlers of a host, wherever the queue is.</summary>
public abstract class HandlerContract : IAsyncLifetime
{
    private static readonly CancellationToken GaveUp = new(canceled: true);

    private readonly Channel _seen = new();

    private protected VerifyingLogger Log { get; } = new();

    /// <summary>Sees the queues next to the host with the handlers, as long as that runs.</summary>
    private protected abstract IPushQueueClient Client { get; }

    public abstract ValueTask InitializeAsync();

    public abstract ValueTask DisposeAsync();

    /// <summary>Starts a host with a queue and handlers.</summary>
    private protected abstract Task StartAsync(Action<IServiceCollection> services, Action<IHost>? map = null);

    /// <summary>Stops the host, which waits until the token is cancelled for what its handlers have begun.</summary>
    private protected abstract Task StopAsync(CancellationToken gaveUp = default);

    /// <summary>Sees the queues when the host with the handlers has stopped.</summary>
    private protected abstract Task<IPushQueueClient> ReopenAsync();

    [Fact]
    public async Task A_function_gets_the_body_the_message_and_services_of_a_scope_of_its_own()
    {
        var all = new ConcurrentBag<Scoped>();
        await StartAsync(
            static services => services.AddScoped<Scoped>(),
            host => host.MapQueue("orders", async (
                Order order, Message message, MessageContext context, Scoped scoped, CancellationToken token) =>
            {
                await Task.Yield();
                Assert.False(token.IsCancellationRequested);
                Assert.Same(scoped, context.Services.GetRequiredService<Scoped>());
                Assert.False(scoped.IsDisposed);
                all.Add(scoped);
                _seen.Add($"{message.Id} {order.Item}");
                if (all.Count == 2)
                {
                    Assert.Equal(2, all.Distinct().Count());
                    Assert.Single(all, static one => one.IsDisposed);
                    _seen.Add("two scopes");
                }
            }));

        await Client.PutAsync("orders", new Order(1, "tea"), ContractJson.Default.Order).WithTimeout();
        await Client.PutAsync("orders", new Order(2, "jam"), ContractJson.Default.Order).WithTimeout();

        Assert.Equal(["1 tea", "2 jam", "two scopes"], await _seen.TakeAsync(3));
        await EmptyAsync("orders");
        Assert.Equal(2, (await Client.GetQueueAsync("orders").WithTimeout())!.Counters.Acked);
    }

    [Fact]
    public async Task Classes_handle_with_generated_code_with_reflection_and_by_their_interface()
    {
        await StartAsync(services => services.AddSingleton(_seen)
            .AddPushQueueHandler<Order, OrderHandler>("generated", ContractJson.Default.Order)
            .AddPushQueueHandler<Order, OrderHandler>("reflected")
            .AddPushQueueHandler<OrderHandler>("named", static options => options.Concurrency = 2));

        foreach (var queue in (string[])["generated", "reflected", "named"])
        {
            await Client.PutAsync(queue, new Order(7, "tea"), ContractJson.Default.Order).WithTimeout();
        }

        Assert.Equal(["generated tea", "named tea", "reflected tea"], (await _seen.TakeAsync(3)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Bodies_come_as_text_bytes_values_and_messages()
    {
        await StartAsync(
            static _ => { },
            host => host
                .MapQueue("text", (string text) => _seen.Add($"text {text}"))
                .MapQueue("bytes", (byte[] bytes) => _seen.Add($"bytes {bytes.Length}"))
                .MapQueue("memory", (ReadOnlyMemory<byte> memory) => ValueTaskOf($"memory {memory.Length}"))
                .MapQueue("number", (int? number) => _seen.Add($"number {number}"))
                .MapQueue("message", async context =>
                {
                    await Task.Yield();
                    _seen.Add($"message {((Message)context.Value!).Text}");
                }));

        await Client.PutAsync("text", "a").WithTimeout();
        await Client.PutAsync("bytes", PutMessage.Bytes(new byte[] { 0, 255 })).WithTimeout();
        await Client.PutAsync("memory", PutMessage.Bytes(new byte[] { 0, 255, 1 })).WithTimeout();
        await Client.PutAsync("number", 7).WithTimeout();
        await Client.PutAsync("message", "m").WithTimeout();

        Assert.Equal(
            ["bytes 2", "memory 3", "message m", "number 7", "text a"], (await _seen.TakeAsync(5)).Order(StringComparer.Ordinal));

        ValueTask ValueTaskOf(string seen)
        {
            _seen.Add(seen);
            return default;
        }
    }

    [Theory]
    [InlineData("not json", "cannot be read as Order")]
    [InlineData("""{"number":"seven"}""", "cannot be read as Order")]
    [InlineData("null", "The body is null")]
    [InlineData("[]", "cannot be read as Order")]
    public async Task A_body_that_is_not_of_the_type_is_dead_lettered_at_once_with_the_reason(string body, string reason)
    {
        await StartAsync(static _ => { }, host => host.MapQueue("orders", (Order order) => _seen.Add(order.Item)));

        await Client.PutAsync("orders", new PutMessage(System.Text.Encoding.UTF8.GetBytes(body), "application/json")).WithTimeout();
        await Client.PutAsync("orders", new Order(1, "tea"), ContractJson.Default.Order).WithTimeout();

        var dead = await DeadAsync("orders");
        Assert.Equal(("rejected", 1), (dead.Resting!.DeadLetter!.Reason, dead.Resting.DeadLetter.Attempts));
        Assert.Contains(reason, dead.Resting.LastError!, StringComparison.Ordinal);
        Assert.Equal(body, dead.Text);
        Assert.Equal(["tea"], await _seen.TakeAsync(1));
    }

    [Fact]
    public async Task A_body_that_is_not_of_the_type_is_tried_again_where_the_handler_asks_for_it()
    {
        await StartAsync(static _ => { }, host => host.MapQueue("orders", (Order order) => _seen.Add(order.Item), static options =>
        {
            options.BadBody = BadBodyAction.Retry;
            options.RetryDelay = TimeSpan.Zero;
        }));

        await Client.PutAsync("orders", "not json", new PutOptions { MaxAttempts = 3 }).WithTimeout();

        var dead = (await DeadAsync("orders")).Resting!.DeadLetter!;
        Assert.Equal(("max-attempts", 3), (dead.Reason, dead.Attempts));
    }

    [Fact]
    public async Task A_handler_that_throws_has_failed_and_may_say_when_and_whether_to_try_again()
    {
        await StartAsync(static _ => { }, host => host.MapQueue("orders", (string text, Message message) =>
        {
            _seen.Add($"{text} {message.Attempt}");
            throw text switch
            {
                "later" => new RetryAfterException(TimeSpan.FromHours(1), "the shop is closed"),
                "never" => new DeadLetterException("no such shop"),
                _ => message.Attempt == 1 ? new InvalidOperationException("no luck") : new DeadLetterException("no luck again"),
            };
        }, static options => options.RetryDelay = TimeSpan.Zero));

        await Client.PutAsync("orders", "later", new PutOptions { Id = "later" }).WithTimeout();
        await Client.PutAsync("orders", "never", new PutOptions { Id = "never" }).WithTimeout();
        await Client.PutAsync("orders", "again", new PutOptions { Id = "again" }).WithTimeout();

        Assert.Equal(["later 1", "never 1", "again 1", "again 2"], await _seen.TakeAsync(4));
        await Eventually.TrueAsync(async () => await Client.FindAsync("orders.dead", "again") is not null, "both are dead");
        var later = (await Client.FindAsync("orders", "later").WithTimeout())!;
        Assert.Equal(("delayed", "the shop is closed"), (later.Resting!.State, later.Resting.LastError));
        Assert.InRange(later.Resting.AvailableAt!.Value - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(50), TimeSpan.FromHours(1));
        Assert.Equal("no such shop", (await Client.FindAsync("orders.dead", "never").WithTimeout())!.Resting!.LastError);
    }

    [Fact]
    public async Task Filters_stand_around_the_handler_in_the_order_in_which_they_were_added()
    {
        await StartAsync(
            services => services.AddSingleton(_seen),
            host => host.MapQueue("orders", (Order order) => _seen.Add($"handler {order.Item}"), options => options
                .AddFilter(async (context, next) =>
                {
                    _seen.Add("outer");
                    await next(context);
                    _seen.Add("outer end");
                })
                .AddFilter<Validation>()));

        await Client.PutAsync("orders", new Order(1, "tea"), ContractJson.Default.Order).WithTimeout();
        Assert.Equal(["outer", "valid tea", "handler tea", "outer end"], await _seen.TakeAsync(4));

        await Client.PutAsync("orders", new Order(-1, "jam"), ContractJson.Default.Order).WithTimeout();
        Assert.Equal("The number is negative.", (await DeadAsync("orders")).Resting!.LastError);
        Assert.Equal(["outer", "invalid jam"], await _seen.TakeAsync(2));
    }

    [Fact]
    public async Task A_filter_that_does_not_go_on_ends_the_work()
    {
        await StartAsync(static _ => { }, host => host.MapQueue("orders", (string text) => _seen.Add(text), options =>
            options.AddFilter((context, next) => context.Message.Text == "skip" ? Task.CompletedTask : next(context))));

        await Client.PutAsync("orders", "skip").WithTimeout();
        await Client.PutAsync("orders", "do").WithTimeout();

        Assert.Equal(["do"], await _seen.TakeAsync(1));
        await EmptyAsync("orders");
    }

    [Fact]
    public async Task As_many_run_at_once_as_the_handler_says_though_each_blocks_its_thread()
    {
        using var all = new Barrier(3);
        await StartAsync(static _ => { }, host => host.MapQueue("orders", (string text) =>
        {
            Assert.True(all.SignalAndWait(TimeSpan.FromSeconds(30)));
            _seen.Add(text);
        }, static options => options.Concurrency = 3));

        await Client.PutManyAsync("orders", [PutMessage.Text("1"), PutMessage.Text("2"), PutMessage.Text("3")]).WithTimeout();

        Assert.Equal(["1", "2", "3"], (await _seen.TakeAsync(3)).Order(StringComparer.Ordinal));
        await EmptyAsync("orders");
    }

    [Fact]
    public async Task A_handler_that_blocks_keeps_its_lease_and_does_not_hold_up_the_handler_of_another_queue()
    {
        using var mayEnd = new ManualResetEventSlim();
        var lease = TimeSpan.FromSeconds(2);
        await StartAsync(static _ => { }, host => host
            .MapQueue("slow", (Message message) =>
            {
                _seen.Add($"slow {message.Attempt}");
                mayEnd.Wait(TimeSpan.FromSeconds(30));
            }, options => options.TimeToRun = lease)
            .MapQueue("quick", (string text) => _seen.Add(text)));

        await Client.PutAsync("slow", "x", new PutOptions { Id = "x" }).WithTimeout();
        Assert.Equal(["slow 1"], await _seen.TakeAsync(1));
        var first = (await Client.FindAsync("slow", "x").WithTimeout())!.LeasedUntil;
        await Client.PutAsync("quick", "quick").WithTimeout();
        Assert.Equal(["quick"], await _seen.TakeAsync(1));
        await Eventually.TrueAsync(
            async () => (await Client.FindAsync("slow", "x"))?.LeasedUntil > first, "the lease was extended");
        mayEnd.Set();

        await EmptyAsync("slow");
        Assert.Equal(1, (await Client.GetQueueAsync("slow").WithTimeout())!.Counters.Acked);
    }

    [Fact]
    public async Task A_message_that_waits_here_for_its_handler_keeps_its_lease()
    {
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await StartAsync(static _ => { }, host => host.MapQueue("orders", async (Message message) =>
        {
            _seen.Add($"{message.Id} {message.Attempt}");
            await mayEnd.Task;
        }, static options =>
        {
            options.TimeToRun = TimeSpan.FromSeconds(2);
            options.Prefetch = 3;
        }));
        await Client.PutManyAsync("orders", ["x", "y", "z"]).WithTimeout();
        Assert.Equal(["1 1"], await _seen.TakeAsync(1));

        foreach (var id in (string[])["2", "3"])
        {
            DateTimeOffset? first = null;
            await Eventually.TrueAsync(
                async () => (first = (await Client.FindAsync("orders", id))?.LeasedUntil) is not null, "the message came here");
            await Eventually.TrueAsync(
                async () => (await Client.FindAsync("orders", id))?.LeasedUntil > first, "the lease of a message that waits was extended");
        }

        mayEnd.SetResult();
        Assert.Equal(["2 1", "3 1"], await _seen.TakeAsync(2));
        await EmptyAsync("orders");
    }

    [Fact]
    public async Task A_function_without_a_host_of_its_own_logs_where_its_client_logs()
    {
        IPushQueueClient client = null!;
        await StartAsync(static _ => { }, host => client = host.Services.GetRequiredService<IPushQueueClient>());
        using var stop = new CancellationTokenSource();
        var handling = client.HandleAsync("orders", static (_, _) => throw new InvalidOperationException("No tea."), stopping: stop.Token);

        await Client.PutAsync("orders", "x", new PutOptions { Id = "x" }).WithTimeout();

        await Eventually.TrueAsync(
            () => Log.Entries.Any(static entry => entry is { Category: "PushQueue.Handlers", Exception.Message: "No tea." }),
            "the failure was logged");
        await stop.CancelAsync();
        await handling.WithTimeout();
    }

    [Fact]
    public async Task A_handler_that_hangs_loses_its_message_after_its_time()
    {
        var hangs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await StartAsync(static _ => { }, host => host.MapQueue("orders", async (Message message, CancellationToken token) =>
        {
            await using var registration = token.Register(() => _seen.Add("cancelled"));
            await hangs.Task;
            _seen.Add("end");
        }, static options =>
        {
            options.Timeout = TimeSpan.FromMilliseconds(100);
            options.RetryDelay = TimeSpan.FromHours(1);
        }));

        await Client.PutAsync("orders", "x", new PutOptions { Id = "x" }).WithTimeout();

        await Eventually.TrueAsync(
            async () => await Client.FindAsync("orders", "x") is { Resting.State: "delayed" }, "the message was given back");
        Assert.Equal(["cancelled"], await _seen.TakeAsync(1));
        Assert.Contains("did not end within", (await Client.FindAsync("orders", "x"))!.Resting!.LastError!, StringComparison.Ordinal);
        hangs.SetResult();
        Assert.Equal(["end"], await _seen.TakeAsync(1));

        // Nothing that the handler does afterwards has an effect, and its place is free.
        await Client.RescheduleAsync("orders", "x", TimeSpan.Zero).WithTimeout();
        await EmptyAsync("orders");
    }

    [Fact]
    public async Task Work_on_a_message_that_is_cancelled_is_told_to_stop_and_no_attempt_is_counted()
    {
        await StartAsync(static _ => { }, host => host.MapQueue("orders", async (Message message, CancellationToken token) =>
        {
            _seen.Add($"begun {message.Id}");
            if (message.Id == "x")
            {
                var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var registration = token.Register(stopped.SetResult);
                await stopped.Task;
                token.ThrowIfCancellationRequested();
            }
        }));
        await Client.PutAsync("orders", "x", new PutOptions { Id = "x" }).WithTimeout();
        Assert.Equal(["begun x"], await _seen.TakeAsync(1));

        Assert.True(await Client.CancelAsync("orders", "x").WithTimeout());
        await Client.PutAsync("orders", "y", new PutOptions { Id = "y" }).WithTimeout();

        Assert.Equal(["begun y"], await _seen.TakeAsync(1));
        await EmptyAsync("orders");
        Assert.Equal(0, (await Client.GetQueueAsync("orders").WithTimeout())!.Counters.Failed);
    }

    [Fact]
    public async Task A_message_that_the_handler_settles_itself_is_left_alone()
    {
        await StartAsync(static _ => { }, host => host.MapQueue("orders", async (Message message) =>
        {
            Assert.True(await message.DeadLetterAsync("by hand"));
            _seen.Add("done");
        }));

        await Client.PutAsync("orders", "x").WithTimeout();

        Assert.Equal("by hand", (await DeadAsync("orders")).Resting!.LastError);
        Assert.Equal(["done"], await _seen.TakeAsync(1));
        Assert.DoesNotContain(Log.Entries, static entry => entry.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task The_order_of_a_key_holds_where_one_message_is_handled_after_the_other_and_some_fail()
    {
        await StartAsync(
            static _ => { },
            host => host.MapQueue("orders", (Message message) =>
            {
                if (message.Attempt == 1 && int.Parse(message.Text, System.Globalization.CultureInfo.InvariantCulture) % 5 == 0)
                {
                    throw new InvalidOperationException("no luck");
                }

                _seen.Add($"{message.Key} {message.Text}");
            }, static options =>
            {
                options.Prefetch = 50;
                options.RetryDelay = TimeSpan.FromMilliseconds(1);
            }));

        await Client.PutManyAsync("orders", Enumerable.Range(0, 60).Select(static i =>
            PutMessage.Text((i / 3).ToString(System.Globalization.CultureInfo.InvariantCulture), new PutOptions { Key = $"k{i % 3}" })))
            .WithTimeout();

        var seen = await _seen.TakeAsync(60);
        foreach (var key in (string[])["k0", "k1", "k2"])
        {
            Assert.Equal(
                Enumerable.Range(0, 20).Select(i => $"{key} {i}"), seen.Where(one => one.StartsWith(key, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_host_that_stops_ends_what_it_has_begun_with_its_puts_and_gives_back_the_rest_uncounted()
    {
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await StartAsync(static _ => { }, host => host.MapQueue("orders", async (string text, IPushQueueClient queues) =>
        {
            _seen.Add(text);
            await mayEnd.Task;
            await queues.PutAsync("done", text);
        }, static options => options.Prefetch = 10));
        await Client.PutManyAsync("orders", Enumerable.Range(1, 4).Select(static i => PutMessage.Text($"{i}"))).WithTimeout();
        Assert.Equal(["1"], await _seen.TakeAsync(1));
        await Eventually.TrueAsync(async () => await Client.GetQueueAsync("orders") is { Leased: 4 }, "all are held");

        var stopping = StopAsync();
        Assert.False(stopping.IsCompleted);
        mayEnd.SetResult();
        await stopping.WithTimeout();

        var after = await ReopenAsync();
        Assert.Equal("1", (await after.TakeAsync("done").WithTimeout())?.Text);
        await Eventually.TrueAsync(async () => await after.GetQueueAsync("orders") is { Ready: 3, Leased: 0 }, "the rest is back");
        var rest = await after.TakeManyAsync("orders", 10).WithTimeout();
        Assert.Equal([("2", 1), ("3", 1), ("4", 1)], rest.Select(static message => (message.Text, message.Attempt)));
        Assert.Equal(0, (await after.GetQueueAsync("orders").WithTimeout())!.Counters.Failed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_host_that_cannot_wait_cancels_its_handlers_and_gives_their_messages_back(bool ignoresItsToken)
    {
        Log.ExpectError("ignores its cancellation");
        var hangs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await StartAsync(static _ => { }, host => host.MapQueue("orders", async (string text, CancellationToken token) =>
        {
            _seen.Add(text);
            await hangs.Task.WaitAsync(ignoresItsToken ? CancellationToken.None : token);
        }));
        await Client.PutAsync("orders", "x", new PutOptions { Id = "x" }).WithTimeout();
        Assert.Equal(["x"], await _seen.TakeAsync(1));

        await StopAsync(GaveUp).WithTimeout();

        var after = await ReopenAsync();
        await Eventually.TrueAsync(
            async () => await after.FindAsync("orders", "x") is { Resting: { State: "ready", LastError: not null } }, "it was given back");
        hangs.SetResult();
    }

    [Fact]
    public async Task A_handler_that_is_there_before_its_queue_makes_it_roundrobin_and_misses_nothing()
    {
        await StartAsync(static _ => { }, host => host.MapQueue("orders", (string text) => _seen.Add(text)));
        await Eventually.TrueAsync(async () => (await Client.GetConsumersAsync("orders")).Count == 1, "the handler has joined");

        await Client.PutAsync("orders", "first").WithTimeout();

        Assert.Equal(["first"], await _seen.TakeAsync(1));
        Assert.Equal("roundrobin", (await Client.GetQueueAsync("orders").WithTimeout())!.Policy);
    }

    [Fact]
    public async Task Mistakes_are_told_before_the_host_starts()
    {
        IHost? started = null;
        await StartAsync(static _ => { }, host =>
        {
            started = host;
            host.MapQueue("taken", static (string _) => { });
            AssertThrows<ArgumentException>("would be the body", () => host.MapQueue("q", static (Order _, Uri _) => { }));
            AssertThrows<ArgumentException>("returns Int32", () => host.MapQueue("q", static (string _) => 1));
            AssertThrows<ArgumentException>("by reference", () => host.MapQueue("q", static (ref string _) => { }));
            AssertThrows<InvalidOperationException>("two handlers", () => host.MapQueue("taken", static (string _) => { }));
            AssertThrows<ArgumentException>(
                "Concurrency is 0", () => host.MapQueue("q", static (string _) => { }, static options => options.Concurrency = 0));
            AssertThrows<InvalidOperationException>(
                "name the type", () => new ServiceCollection().AddPushQueueHandler<Scoped>("q"));
        });

        AssertThrows<InvalidOperationException>("comes too late", () => started!.MapQueue("late", static (string _) => { }));
        using var empty = Host.CreateEmptyApplicationBuilder(null).Build();
        AssertThrows<InvalidOperationException>("has no queue to consume", () => empty.MapQueue("q", static (string _) => { }));
    }

    private static void AssertThrows<T>(string part, Action action)
        where T : Exception => Assert.Contains(part, Assert.Throws<T>(action).Message, StringComparison.Ordinal);

    private async Task<Message> DeadAsync(string queue)
    {
        Message? dead = null;
        await Eventually.TrueAsync(
            async () => (dead = await Client.BrowseAsync(queue + ".dead", "dead").FirstOrDefaultAsync()) is not null, "a dead letter");
        return dead!;
    }

    private Task EmptyAsync(string queue) => Eventually.TrueAsync(
        async () => await Client.GetQueueAsync(queue) is { Ready: 0, Leased: 0 }, "nothing is left in the queue");

    private sealed class Scoped : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class OrderHandler(Channel seen) : IMessageHandler<Order>
    {
        public Task HandleAsync(Order value, MessageContext context, CancellationToken cancellationToken)
        {
            seen.Add($"{context.Queue} {value.Item}");
            return Task.CompletedTask;
        }
    }

    private sealed class Validation(Channel seen) : IMessageFilter
    {
        public Task InvokeAsync(MessageContext context, MessageDelegate next)
        {
            var order = (Order)context.Value!;
            seen.Add(order.Number < 0 ? $"invalid {order.Item}" : $"valid {order.Item}");
            return order.Number < 0 ? throw new DeadLetterException("The number is negative.") : next(context);
        }
    }

    /// <summary>The texts that handlers have reported, in order.</summary>
    private sealed class Channel
    {
        private readonly System.Threading.Channels.Channel<string> _texts =
            System.Threading.Channels.Channel.CreateUnbounded<string>();

        public void Add(string text) => Assert.True(_texts.Writer.TryWrite(text));

        public async Task<List<string>> TakeAsync(int count)
        {
            var taken = new List<string>();
            while (taken.Count < count)
            {
                taken.Add(await _texts.Reader.ReadAsync().AsTask().WithTimeout());
            }

            return taken;
        }
    }
}
