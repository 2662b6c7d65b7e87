using System.Diagnostics;
using System.Text;
using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;
using PushQueue.SystemTests.History.Workers;

namespace PushQueue.SystemTests.History;

/// <summary>
/// Producers and consumers of every kind on queues of every promise, against any servers; what they see is noted down to be judged. The
/// names of the queues are the run's own, so that servers which somebody uses can be judged, too.
/// </summary>
internal sealed class Workload : IAsyncDisposable
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(60);

    private readonly IServersUnderTest _servers;
    private readonly int _seed;
    private readonly string _prefix;
    private readonly string _memory;
    private readonly CancellationTokenSource _end = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly List<CuttingProxy> _cut = [];
    private readonly List<CuttingProxy> _steady = [];
    private readonly List<BroadcastConsumer> _readers = [];
    private readonly Dictionary<string, Promise> _promises;
    private readonly Dictionary<string, Task> _producing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _consuming = new(StringComparer.Ordinal);
    private readonly Scene _scene;
    private readonly LinkKinds _links;
    private readonly ManyReaders _many;
    private int _workers;

    /// <param name="servers">The target.</param>
    /// <param name="seed">Chooses the actions of the workers.</param>
    /// <param name="prefix">Begins the names of all queues of this run.</param>
    /// <param name="pace">How much longer than usual the workers pause.</param>
    /// <param name="memory">How long queues know ids and keep broadcast messages. It must exceed every interruption of the run.</param>
    public Workload(IServersUnderTest servers, int seed, string prefix, int pace = 1, string memory = "2h")
    {
        _memory = memory;
        _servers = servers;
        _seed = seed;
        _prefix = prefix;
        foreach (var address in servers.Addresses)
        {
            _cut.Add(new CuttingProxy(address));
            _steady.Add(new CuttingProxy(address));
        }

        _scene = new Scene(
            [.. _cut.Select(proxy => proxy.Address)],
            [.. _steady.Select(proxy => proxy.Address)],
            Record,
            _http,
            _end.Token) { Pace = pace };
        _links = new LinkKinds(_http);
        _many = new ManyReaders(_scene, _links, prefix, memory, RandomOf, Start);
        _promises = new Dictionary<string, Promise>(StringComparer.Ordinal)
        {
            [Queue("work")] = Promise.Acked,
            [Queue("orders")] = Promise.Ordered,
            [Queue("pushed")] = Promise.Pushed,
            [Queue("taken")] = Promise.Taken,
            [Queue("news")] = Promise.Kept,
            [Queue("brief")] = Promise.Broadcast,
        };
        foreach (var (queue, promise) in _many.Promises)
        {
            _promises[queue] = promise;
        }
    }

    public HistoryRecord Record { get; } = new();

    public IReadOnlyDictionary<string, Promise> Promises => _promises;

    public IReadOnlyList<CopyRule> Copies => _many.Copies;

    /// <summary>Makes the queues, starts everybody, and carries out the plan, or as much of it as the time allows.</summary>
    public async Task RunAsync(IReadOnlyList<Disturbance> plan, TimeSpan? lengthMax)
    {
        await MakeQueuesAsync();
        StartConsumers();
        await _many.StartConsumersAsync();
        StartProducers();
        var random = new Random(_seed);
        var started = Stopwatch.GetTimestamp();
        foreach (var disturbance in plan.TakeWhile(_ => lengthMax is null || Stopwatch.GetElapsedTime(started) < lengthMax))
        {
            await Task.Delay(disturbance.After, TimeProvider.System);
            await DisturbAsync(disturbance.Kind, random);
        }
    }

    /// <summary>Lets everything come out, ends everybody, and notes down what is left.</summary>
    public async Task FinishAsync()
    {
        _scene.Producing = false;
        await EndOfAsync(_producing);

        // Messages that consumers have forgotten come back when their connections end.
        _cut.ForEach(proxy => proxy.CutAll());
        await Task.WhenAll(_scene.Addresses.Select(_scene.UntilServedAsync)).WaitAsync(DrainTimeout);
        using var patience = new CancellationTokenSource(DrainTimeout);
        while (!patience.IsCancellationRequested && !await IsDrainedAsync())
        {
            await _scene.PauseAsync(100);
        }

        await _end.CancelAsync();
        await EndOfAsync(_consuming);
        await NoteDeadLettersAsync();
        foreach (var queue in Promises.Keys)
        {
            Record.Add(await LeftInAsync(queue));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();

        // Bounded, and without a word of its own: what brought the run here has been said already.
        await Task.WhenAny(Task.WhenAll([.. _producing.Values, .. _consuming.Values]), Task.Delay(DrainTimeout, TimeProvider.System));
        foreach (var proxy in _cut.Concat(_steady))
        {
            await proxy.DisposeAsync();
        }

        _http.Dispose();
        _end.Dispose();
    }

    private string Queue(string name) => $"{_prefix}{name}";

    private async Task MakeQueuesAsync()
    {
        // A put that got no answer is repeated under its id, also when the message is long gone.
        await SetAsync(Queue("work"), $$"""{"policy":"roundrobin","dedupWindow":"{{_memory}}","maxAttempts":8,"ttr":"3s"}""");
        var fair = _seed % 2 == 0 ? "true" : "false";
        await SetAsync(Queue("orders"), $$"""{"policy":"roundrobin","dedupWindow":"{{_memory}}","maxAttempts":8,"ttr":"2s","fair":{{fair}}}""");
        await SetAsync(Queue("pushed"), $$"""{"policy":"roundrobin","dedupWindow":"{{_memory}}"}""");
        await SetAsync(Queue("taken"), $$"""{"policy":"roundrobin","dedupWindow":"{{_memory}}"}""");
        await SetAsync(Queue("news"), $$"""{"dedupWindow":"{{_memory}}","history":{"messages":1000000,"age":"{{_memory}}"} }""");
        await SetAsync(Queue("brief"), $$"""{"dedupWindow":"{{_memory}}","history":{"messages":20,"age":"{{_memory}}"} }""");
        foreach (var (queue, settings) in _many.Settings)
        {
            await SetAsync(queue, settings);
        }
    }

    private async Task SetAsync(string queue, string settings)
    {
        using var content = new StringContent(settings, Encoding.UTF8, "application/json");
        using var answer = await _http.PatchAsync(new Uri(_servers.Addresses[0], $"/q/{queue}/settings"), content);
        answer.EnsureSuccessStatusCode();
    }

    private void StartProducers()
    {
        foreach (var (queue, ways) in ((string, PutWay[])[])[
            ("work", [PutWay.Rest, PutWay.Batch, PutWay.Socket, PutWay.Hub]),
            ("orders", [PutWay.Rest, PutWay.Socket, PutWay.Hub]),
            ("pushed", [PutWay.Rest, PutWay.Socket]),
            ("taken", [PutWay.Rest, PutWay.Batch, PutWay.Hub]),
            ("news", [PutWay.Rest, PutWay.Batch, PutWay.Socket, PutWay.Hub]),
            ("brief", [PutWay.Rest, PutWay.Hub])])
        {
            foreach (var way in ways)
            {
                var name = $"p{++_workers}";
                var bodyBytesMax = queue == "brief" ? 60_000 : 200;
                var pauseMsMax = way == PutWay.Batch ? 150 : queue == "orders" ? 80 : 30;
                var producer = new Producer(
                    _scene,
                    name,
                    way,
                    Queue(queue),
                    bodyBytesMax,
                    pauseMsMax,
                    mayDelay: queue == "work",
                    RandomOf(),
                    hasKeys: queue == "orders");
                _producing.Add(name, producer.RunAsync());
            }
        }

        foreach (var (kind, run) in _many.Producers())
        {
            var name = $"{(kind.Length == 0 ? "p" : kind)}{++_workers}";
            _producing.Add(name, run(name));
        }
    }

    private void StartConsumers()
    {
        Consume("work", "comet", _links.Comet, "ack=manual&prefetch=20");
        Consume("work", "sse", _links.Events, "ack=manual");
        Consume("work", "socket", _links.Socket, "ack=manual&prefetch=50");
        Consume("work", "hub", _links.Hub, "ack=manual&ttr=2s");
        Consume("work", "item", _links.Item, "ack=manual");
        foreach (var (kind, link) in ((string, Func<Uri, StreamLink>)[])[
            ("events", _links.Events),
            ("socket", _links.Socket),
            ("hub", _links.Hub)])
        {
            Start(name => new GraceConsumer(_scene, name, Queue("work"), link, RandomOf()).RunAsync(), $"grace-{kind}");
        }

        Start(name => new LeaseWorker(_scene, name, Queue("work"), many: false, RandomOf()).RunAsync(), "lease");
        Start(name => new LeaseWorker(_scene, name, Queue("work"), many: true, RandomOf()).RunAsync(), "leases");

        Consume("orders", "sse", _links.Events, "ack=manual&ttr=2s");
        Consume("orders", "socket", _links.Socket, "ack=manual&prefetch=10&ttr=2s");
        Consume("orders", "hub", _links.Hub, "ack=manual&ttr=2s");
        Start(name => new LeaseWorker(_scene, name, Queue("orders"), many: false, RandomOf()).RunAsync(), "lease");
        Start(name => new LeaseWorker(_scene, name, Queue("orders"), many: true, RandomOf()).RunAsync(), "leases");
        var links = ((string, Func<Uri, StreamLink>)[])[
            ("comet", _links.Comet),
            ("sse", _links.Events),
            ("socket", _links.Socket),
            ("hub", _links.Hub)];
        foreach (var (kind, link) in links)
        {
            Consume("pushed", kind, link, "", steady: true);
            Follow("news", kind, link, "");
        }

        Follow("news", "item", _links.Item, "");
        Follow("brief", "comet", _links.Comet, "");
        Follow("brief", "sse", _links.Events, "overflow=drop-oldest", slow: true);
        Follow("brief", "socket", _links.Socket, "overflow=latest", slow: true);
        Follow("brief", "hub", _links.Hub, "", slow: true);
        Follow("brief", "item", _links.Item, "overflow=drop-oldest", slow: true);
        foreach (var way in Enum.GetValues<TakeWay>())
        {
            Start(name => new Taker(_scene, name, Queue("taken"), way, RandomOf()).RunAsync(), "take");
        }
    }

    private void Start(Func<string, Task> run, string kind)
    {
        var name = $"{kind}{++_workers}";
        _consuming.Add(name, run(name));
    }

    private void Consume(string queue, string kind, Func<Uri, StreamLink> link, string options, bool steady = false) =>
        Start(name => new StreamConsumer(_scene, name, Queue(queue), link, options, RandomOf(), steady).RunAsync(), kind);

    private void Follow(string queue, string kind, Func<Uri, StreamLink> link, string options, bool slow = false) => Start(
        name =>
        {
            var reader = new BroadcastConsumer(_scene, name, Queue(queue), link, options, RandomOf(), slow);
            _readers.Add(reader);
            return reader.RunAsync();
        },
        kind);

    private Random RandomOf() => new((_seed * 1000) + _workers);

    private async Task DisturbAsync(DisturbanceKind kind, Random random)
    {
        var number = random.Next(_cut.Count);
        switch (kind)
        {
            case DisturbanceKind.CutOne:
                _cut[number].CutOne(random);
                break;
            case DisturbanceKind.CutAll:
                _cut[number].CutAll();
                break;
            default:
                await _servers.DisturbAsync(kind, number, Record.Add);
                _cut[number].PointTo(_servers.Addresses[number]);
                _steady[number].PointTo(_servers.Addresses[number]);
                break;
        }
    }

    private static async Task EndOfAsync(Dictionary<string, Task> workers)
    {
        try
        {
            await Task.WhenAll(workers.Values).WaitAsync(DrainTimeout);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException(
                $"These have not ended: {string.Join(' ', workers.Where(worker => !worker.Value.IsCompleted).Select(worker => worker.Key))}",
                e);
        }
    }

    private async Task<bool> IsDrainedAsync()
    {
        foreach (var queue in Promises.Keys)
        {
            var left = await LeftInAsync(queue);
            if (left is not { Ready: 0, Delayed: 0, Leased: 0 }
                || _readers.Exists(reader => reader.Queue == queue && reader.Last != left.NextOffset - 1)
                || !_many.HaveReached(queue, left.NextOffset - 1))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<FoundLeft> LeftInAsync(string queue)
    {
        var info = await _scene.GetAsync(_servers.Addresses[0], $"/j/{queue}")
            ?? throw new InvalidOperationException($"The server says nothing about {queue} although it runs.");
        return new FoundLeft(
            queue,
            info.GetProperty("ready").GetInt64(),
            info.GetProperty("delayed").GetInt64(),
            info.GetProperty("leased").GetInt64(),
            info.GetProperty("epoch").GetString()!,
            info.GetProperty("nextOffset").GetInt64());
    }

    private async Task NoteDeadLettersAsync()
    {
        foreach (var queue in Promises.Where(promise => promise.Value is Promise.Acked or Promise.Ordered).Select(promise => promise.Key))
        {
            while (await _scene.GetAsync(_servers.Addresses[0], $"/q/{queue}.dead/batch?count=1000") is { } dead
                && dead.GetArrayLength() > 0)
            {
                foreach (var message in dead.EnumerateArray())
                {
                    Record.Add(new FoundDead(queue, message.GetProperty("id").GetString()!));
                }
            }
        }
    }
}
