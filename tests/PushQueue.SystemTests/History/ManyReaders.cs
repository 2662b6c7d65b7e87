using System.Text;
using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;
using PushQueue.SystemTests.History.Workers;
using PushQueue.Tests.Support;

namespace PushQueue.SystemTests.History;

/// <summary>
/// The part of a <see cref="Workload"/> in which one put has many readers: queues that subscribe to others, by name, by pattern and with a
/// filter, one of them on and off, one during the run from the earliest message; and streams over many queues, one of which is made during
/// the run.
/// </summary>
internal sealed class ManyReaders
{
    private readonly Scene _scene;
    private readonly LinkKinds _links;
    private readonly string _prefix;
    private readonly string _memory;
    private readonly Func<Random> _randomOf;
    private readonly Action<Func<string, Task>, string> _start;
    private readonly List<ManyFollower> _followers = [];
    private readonly string[] _followed;

    /// <param name="scene">The common data of all workers.</param>
    /// <param name="links">Makes their connections.</param>
    /// <param name="prefix">Begins the names of all queues of this run.</param>
    /// <param name="memory">How long queues know ids and keep broadcast messages.</param>
    /// <param name="randomOf">A generator for the next worker.</param>
    /// <param name="start">Starts a consumer of some kind under a name of its own.</param>
    public ManyReaders(
        Scene scene, LinkKinds links, string prefix, string memory, Func<Random> randomOf, Action<Func<string, Task>, string> start)
    {
        (_scene, _links, _prefix, _memory, _randomOf, _start) = (scene, links, prefix, memory, randomOf, start);
        _followed = [Queue("feed.a"), Queue("feed.b"), Queue("feed.short"), Late, Queue("sales.us")];
        Copies =
        [
            new CopyRule(Queue("sales.eu"), Queue("billing"), static _ => true),
            new CopyRule(Queue("sales.us"), Queue("billing"), static _ => true),
            new CopyRule(Queue("sales.eu"), Queue("odd"), static id => MessageKeys.ParityOf(id) == "odd"),
            new CopyRule(Queue("sales.us"), Queue("odd"), static id => MessageKeys.ParityOf(id) == "odd"),
            new CopyRule(Queue("sales.eu"), Queue("ledger"), static _ => true),

            // It subscribes late, and gets all messages: the source keeps them in history.
            new CopyRule(Queue("sales.us"), Queue("archive"), static _ => true),
        ];
    }

    public IReadOnlyList<CopyRule> Copies { get; }

    public IEnumerable<(string Queue, Promise Promise)> Promises =>
    [
        (Queue("sales.eu"), Promise.Acked),
        (Queue("sales.us"), Promise.Kept),
        (Queue("billing"), Promise.Ordered),
        (Queue("odd"), Promise.Taken),
        (Queue("ledger"), Promise.Acked),
        (Queue("archive"), Promise.Ordered),
        (Queue("feed.a"), Promise.Kept),
        (Queue("feed.b"), Promise.Kept),
        (Queue("feed.short"), Promise.Broadcast),
        (Late, Promise.Kept),
    ];

    /// <summary>The queues that are there from the beginning, and their settings.</summary>
    public IEnumerable<(string Queue, string Settings)> Settings
    {
        get
        {
            var known = Known;
            var work = Work;
            yield return (Queue("sales.eu"), $"{{{work}}}");
            yield return (Queue("sales.us"), Kept);
            yield return (Queue("billing"), $$"""{{{work}},"subscriptions":["{{Queue("sales.*")}}"]}""");
            yield return (Queue("odd"), $$"""{{{work}},"subscriptions":[{"to":"{{Queue("sales.*")}}","where":{"parity":"odd"} }]}""");
            yield return (Queue("ledger"), $$"""{{{work}},"subscriptions":["{{Queue("sales.eu")}}"]}""");
            yield return (Queue("feed.a"), Kept);
            yield return (Queue("feed.b"), Kept);
            yield return (Queue("feed.short"), $$"""{{{known}},"history":{"messages":20,"age":"{{_memory}}"} }""");
        }
    }

    private string Known => $"\"dedupWindow\":\"{_memory}\"";

    private string Work => $"{Known},\"policy\":\"roundrobin\",\"maxAttempts\":8,\"ttr\":\"2s\"";

    private string Kept => $$"""{"dedupWindow":"{{_memory}}","history":{"messages":1000000,"age":"{{_memory}}"} }""";

    private string Late => Queue("feed.late");

    /// <summary>Starts the consumers; returns when each stream over many queues has begun.</summary>
    public async Task StartConsumersAsync()
    {
        _start(name => new StreamConsumer(_scene, name, Queue("sales.eu"), _links.Socket, "ack=manual", _randomOf()).RunAsync(), "socket");
        Lease("sales.eu", many: true);
        _start(name => new StreamConsumer(_scene, name, Queue("billing"), _links.Events, "ack=manual", _randomOf()).RunAsync(), "sse");
        Lease("billing", many: false);
        Lease("billing", many: true);
        Lease("ledger", many: true);
        Lease("archive", many: true);
        WorkAt("comet", _links.Comet);
        WorkAt("socket", _links.Socket);
        WorkAt("hub", _links.Hub);
        foreach (var way in (TakeWay[])[TakeWay.RestMany, TakeWay.Hub])
        {
            _start(name => new Taker(_scene, name, Queue("odd"), way, _randomOf()).RunAsync(), "take");
        }

        Follow("comet", _links.Comet);
        Follow("sse", _links.Events);
        Follow("socket", _links.Socket, "&overflow=drop-oldest", slow: true);
        Follow("hub", _links.Hub);
        Follow("item", _links.Item, slow: true);
        foreach (var follower in _followers)
        {
            await Eventually.TrueAsync(() => follower.HasBegun, $"the stream of {follower.Name} over many queues has begun");
        }
    }

    /// <summary>The producers, and who changes settings meanwhile: each runs until producing ends.</summary>
    public IEnumerable<(string Name, Func<string, Task> Run)> Producers()
    {
        foreach (var (queue, way, pauseMsMax) in ((string, PutWay, int)[])[
            ("sales.eu", PutWay.Rest, 150),
            ("sales.eu", PutWay.Batch, 600),
            ("sales.eu", PutWay.Socket, 150),
            ("sales.eu", PutWay.Hub, 150),
            ("sales.us", PutWay.Rest, 150),
            ("sales.us", PutWay.Batch, 600),
            ("feed.a", PutWay.Rest, 60),
            ("feed.a", PutWay.Batch, 300),
            ("feed.b", PutWay.Socket, 60),
            ("feed.short", PutWay.Hub, 60)])
        {
            yield return ("", name => ProducerOf(name, way, queue, pauseMsMax).RunAsync());
        }

        yield return ("late", RunLateAsync);
        yield return ("archive", SubscribeArchiveAsync);
        yield return (
            "switch", _ => new SubscriptionSwitch(_scene, Queue("ledger"), Queue("sales.eu"), _randomOf()).RunAsync());
    }

    /// <summary>Whether each stream has reached the end of a queue, if it follows it.</summary>
    public bool HaveReached(string queue, long last) =>
        !_followed.Contains(queue) || _followers.TrueForAll(follower => follower.LastOf(queue) == last);

    private string Queue(string name) => _prefix + name;

    private void Lease(string queue, bool many) =>
        _start(name => new LeaseWorker(_scene, name, Queue(queue), many, _randomOf()).RunAsync(), "lease");

    private void WorkAt(string kind, Func<Uri, StreamLink> link) => _start(
        name => new ManyWorker(_scene, name, [Queue("billing"), Queue("ledger")], link, "prefetch=20&ttr=2s", _randomOf()).RunAsync(),
        $"many-{kind}-work");

    private void Follow(string kind, Func<Uri, StreamLink> link, string options = "", bool slow = false) => _start(
        name =>
        {
            var query = $"queue={Queue("feed.a")}&queue={Queue("sales.us")}&match={Queue("feed.*")}{options}";
            var follower = new ManyFollower(_scene, name, query, link, _randomOf(), slow);
            _followers.Add(follower);
            return follower.RunAsync();
        },
        $"many-{kind}");

    private Producer ProducerOf(string name, PutWay way, string queue, int pauseMsMax)
    {
        var isSource = queue.StartsWith("sales", StringComparison.Ordinal);
        var bodyBytesMax = queue == "feed.short" ? 30_000 : 200;
        return new Producer(
            _scene, name, way, Queue(queue), bodyBytesMax, pauseMsMax, mayDelay: false, _randomOf(), isSource, isSource);
    }

    private async Task SubscribeArchiveAsync(string name)
    {
        var random = _randomOf();
        await _scene.PaceAsync(random.Next(2000, 8000));
        _ = await SetAsync(Queue("archive"), $$"""
            {{{Work}},"subscriptions":[{"to":"{{Queue("sales.us")}}","from":"earliest"}]}
            """, random);
    }

    private async Task RunLateAsync(string name)
    {
        var random = _randomOf();
        await _scene.PaceAsync(random.Next(1000, 5000));
        if (!await SetAsync(Late, Kept, random))
        {
            return;
        }

        await ProducerOf(name, PutWay.Rest, "feed.late", pauseMsMax: 60).RunAsync();
    }

    /// <summary>Changes settings, again and again until that succeeds. False where the run ends first.</summary>
    private async Task<bool> SetAsync(string queue, string settings, Random random)
    {
        while (!await TrySetAsync(queue, settings, random))
        {
            if (_scene.End.IsCancellationRequested)
            {
                return false;
            }

            await _scene.PauseAsync(100);
        }

        return true;
    }

    private async Task<bool> TrySetAsync(string queue, string settings, Random random)
    {
        try
        {
            using var content = new StringContent(settings, Encoding.UTF8, "application/json");
            using var answer = await _scene.Http.PatchAsync(
                new Uri(_scene.AnySteadyAddress(random), $"/q/{queue}/settings"), content, _scene.End);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (StreamLink.IsEnd(e))
        {
            return false;
        }
    }
}
