using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PushQueue.Client;

namespace PushQueue.Testing;

/// <summary>
/// A server for one test or for many: the whole queue in this process, on a free port of this machine. Its data is gone at the end. Its
/// clock stands still until the test moves it, so delays, leases, retries and times to live pass when the test wants it. Safe for any
/// number of threads. <code>await using var queue = PushQueueTestServer.Start();</code>
/// </summary>
public sealed class PushQueueTestServer : IAsyncDisposable
{
    private const string JsonWarning = "Reads bodies by reflection.";

    // Some changes, such as the end of a time to live, are visible only to a reader.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    private static readonly string[] States = ["ready", "delayed", "leased", "dead"];

    private readonly WebApplication _app;
    private readonly DirectoryInfo _folder;
    private readonly PutRecord _record;

    private PushQueueTestServer(WebApplication app, DirectoryInfo folder, FakeTimeProvider clock, PutRecord record)
    {
        _app = app;
        _folder = folder;
        _record = record;
        Clock = clock;
        BaseAddress = new Uri(app.Urls.Single());
        Client = app.Services.GetRequiredService<IPushQueueClient>();
        RemoteClient = new PushQueueClient(new PushQueueClientOptions { Server = BaseAddress });
    }

    /// <summary>The queue without HTTP, as an application has it that hosts the queue. Its timers follow <see cref="Clock"/>.</summary>
    public IPushQueueClient Client { get; }

    /// <summary>The queue over HTTP, as another program has it. Its own timers follow the clock of the machine.</summary>
    public PushQueueClient RemoteClient { get; }

    /// <summary>The address of the server, for programs and clients of every kind: <c>http://127.0.0.1:PORT</c>.</summary>
    public Uri BaseAddress { get; }

    /// <summary>The clock of the server. It begins at the present time and stands still until <see cref="Advance"/>. Register it in a host
    /// whose handlers should follow it: <c>services.AddSingleton&lt;TimeProvider&gt;(queue.Clock)</c>.</summary>
    public FakeTimeProvider Clock { get; }

    /// <summary>How long an expectation waits for what it expects, by the clock of the machine. Default 5 s.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Starts a server, and returns when it serves.</summary>
    /// <param name="configure">Options of the queue. Its store is always in memory.</param>
    /// <exception cref="PushQueue.Queues.PushQueueStartException">Options are wrong; the message names them all.</exception>
    public static PushQueueTestServer Start(Action<PushQueueOptions>? configure = null) =>
        Task.Run(() => StartAsync(configure)).GetAwaiter().GetResult();

    /// <summary>Starts a server.</summary>
    /// <param name="configure">Options of the queue. Its store is always in memory.</param>
    /// <exception cref="PushQueue.Queues.PushQueueStartException">Options are wrong; the message names them all.</exception>
    public static async Task<PushQueueTestServer> StartAsync(Action<PushQueueOptions>? configure = null)
    {
        var folder = Directory.CreateTempSubdirectory("pushqueue-test-");
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var record = new PutRecord(clock);
        try
        {
            var app = await TestServerHost.StartAsync(folder.FullName, clock, record, configure);
            return new PushQueueTestServer(app, folder, clock, record);
        }
        catch
        {
            folder.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>
    /// Lets time pass for the server. Messages that fall due are delivered soon afterwards; wait for them with
    /// <see cref="WaitForAsync(string, Func{Message, bool}?, string?)"/> or <see cref="WaitUntilAsync"/>. Consumers over HTTP may lose
    /// their connection in a jump of more than some seconds, as at a server that was suspended, and connect again.
    /// </summary>
    /// <param name="duration">Zero or more.</param>
    public void Advance(TimeSpan duration)
    {
        Clock.Advance(duration);
        _record.Signal();
    }

    /// <summary>
    /// The messages that programs have put into a queue, in their order, also those that were taken since. Copies that come by a
    /// subscription and dead letters are not put by a program:
    /// <see cref="WaitForAsync(string, Func{Message, bool}?, string?)"/> sees those, too.
    /// </summary>
    /// <param name="queue">The queue; it need not exist.</param>
    public IReadOnlyList<Message> MessagesOf(string queue)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        return _record.Of(queue);
    }

    /// <summary>
    /// Waits for a message: one that a program has put, whether or not it was taken since, or one that rests in the queue, such as a dead
    /// letter. Of several the first counts.
    /// </summary>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="fits">The expectation of the message; null for any message.</param>
    /// <param name="condition">The text of <paramref name="fits"/>, for the exception.</param>
    /// <exception cref="PushQueueTestException">No such message came within <see cref="Patience"/>; the message shows those that did.
    /// </exception>
    public Task<Message> WaitForAsync(
        string queue, Func<Message, bool>? fits = null, [CallerArgumentExpression(nameof(fits))] string? condition = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        return UntilAsync(
            async () => (await SeenAsync(queue)).FirstOrDefault(message => fits?.Invoke(message) ?? true),
            async () => $"No message of '{queue}' {Fits(fits is null, condition)} within {Patience}. {Describe(await SeenAsync(queue))}");
    }

    /// <summary>Waits for a message whose body is a value, as JSON with names in camel case; see
    /// <see cref="WaitForAsync(string, Func{Message, bool}?, string?)"/>.</summary>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="fits">The expectation of the value; null for any value of the type.</param>
    /// <param name="condition">The text of <paramref name="fits"/>, for the exception.</param>
    /// <exception cref="PushQueueTestException">No such message came within <see cref="Patience"/>; the message shows those that did.
    /// </exception>
    [RequiresUnreferencedCode(JsonWarning)]
    [RequiresDynamicCode(JsonWarning)]
    public async Task<T> WaitForAsync<T>(
        string queue, Func<T, bool>? fits = null, [CallerArgumentExpression(nameof(fits))] string? condition = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        var (_, value) = await UntilAsync<Tuple<Message, T>>(
            async () => (await SeenAsync(queue)).Select(Read)
                .FirstOrDefault(read => read is not null && (fits?.Invoke(read.Item2) ?? true)),
            async () => $"No {typeof(T).Name} of '{queue}' {Fits(fits is null, condition)} within {Patience}. "
                + Describe(await SeenAsync(queue)));
        return value;

        static Tuple<Message, T>? Read(Message message)
        {
            try
            {
                return message.Read<T>() is { } value ? Tuple.Create(message, value) : null;
            }
            catch (PushQueueException)
            {
                // Its body is something else, so it is not the message that the test waits for.
                return null;
            }
        }
    }

    /// <summary>Waits until so many messages were put into a queue, and gives them in their order.</summary>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="count">1 or more.</param>
    /// <exception cref="PushQueueTestException">Fewer came within <see cref="Patience"/>, or more; the message shows them.</exception>
    public async Task<IReadOnlyList<Message>> WaitForCountAsync(string queue, int count)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var messages = await UntilAsync(
            () => Task.FromResult(MessagesOf(queue) is { } put && put.Count >= count ? put : null),
            () => Task.FromResult($"'{queue}' did not get {count} messages within {Patience}. {Describe(MessagesOf(queue))}"));
        return messages.Count == count
            ? messages
            : throw new PushQueueTestException($"'{queue}' got more than {count} messages. {Describe(messages)}");
    }

    /// <summary>Waits for a state of a queue: <c>await queue.WaitUntilAsync("orders", info =&gt; info.Counters.Acked == 3)</c>.</summary>
    /// <param name="queue">The queue; it need not exist yet.</param>
    /// <param name="fits">The expectation of the queue.</param>
    /// <param name="condition">The text of <paramref name="fits"/>, for the exception.</param>
    /// <exception cref="PushQueueTestException">The state did not come within <see cref="Patience"/>; the message shows the last one.
    /// </exception>
    public Task<QueueInfo> WaitUntilAsync(
        string queue, Func<QueueInfo, bool> fits, [CallerArgumentExpression(nameof(fits))] string? condition = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        ArgumentNullException.ThrowIfNull(fits);
        return UntilAsync(
            async () => await Client.GetQueueAsync(queue) is { } info && fits(info) ? info : null,
            async () => $"The queue '{queue}' {Fits(isAny: false, condition)} within {Patience}. "
                + Describe(await Client.GetQueueAsync(queue)));
    }

    /// <summary>Waits until the queue is empty: its messages were handled, and no message is ready, delayed or leased.</summary>
    /// <param name="queue">A queue that exists.</param>
    /// <exception cref="PushQueueTestException">Messages are left after <see cref="Patience"/>; the message shows them.</exception>
    public Task WaitUntilEmptyAsync(string queue)
    {
        ArgumentException.ThrowIfNullOrEmpty(queue);
        return UntilAsync(
            async () => await Client.GetQueueAsync(queue) is { Ready: 0, Delayed: 0, Leased: 0 } info ? info : null,
            async () => $"The queue '{queue}' was not empty within {Patience}. {Describe(await Client.GetQueueAsync(queue))}");
    }

    /// <summary>Stops the server and removes its data.</summary>
    public async ValueTask DisposeAsync()
    {
        RemoteClient.Dispose();
        var stopping = _app.StopAsync();
        while (!stopping.IsCompleted)
        {
            // A server that stops waits for consumers by its clock, which nobody else moves.
            Clock.Advance(LookInterval);
            await Task.WhenAny(stopping, Task.Delay(LookInterval, TimeProvider.System));
        }

        await stopping;
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static string Fits(bool isAny, string? condition) => isAny ? "came" : $"fitted {condition}";

    private static string Describe(IReadOnlyList<Message> messages) => MessageList.Describe(messages);

    private static string Describe(QueueInfo? info) => info is null
        ? "The queue does not exist."
        : $"It has {info.Ready} ready, {info.Delayed} delayed and {info.Leased} leased messages; {info.Counters.Put} were put, "
            + $"{info.Counters.Acked} acked, {info.Counters.Failed} failed and {info.Counters.DeadLettered} dead-lettered.";

    /// <summary>The messages that were put, and those that rest in the queue without having been put by a program.</summary>
    private async Task<IReadOnlyList<Message>> SeenAsync(string queue)
    {
        var put = MessagesOf(queue);
        if (await Client.GetQueueAsync(queue) is null)
        {
            return put;
        }

        var seen = new List<Message>(put);
        var known = put.Select(static message => message.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var state in States)
        {
            await foreach (var message in Client.BrowseAsync(queue, state))
            {
                if (known.Add(message.Id))
                {
                    seen.Add(message);
                }
            }
        }

        return seen;
    }

    /// <summary>Looks again at each change of a queue, until there is something or the patience is over.</summary>
    private async Task<T> UntilAsync<T>(Func<Task<T?>> look, Func<Task<string>> whyNot)
        where T : class
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var changed = _record.Changed;
            if (await look() is { } found)
            {
                return found;
            }

            if (TimeProvider.System.GetElapsedTime(begun) >= Patience)
            {
                throw new PushQueueTestException(await whyNot());
            }

            await Task.WhenAny(changed, Task.Delay(LookInterval, TimeProvider.System));
        }
    }
}
