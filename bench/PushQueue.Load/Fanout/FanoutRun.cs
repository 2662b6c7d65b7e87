using PushQueue.Load.Measuring;
using PushQueue.Load.Net;

namespace PushQueue.Load.Fanout;

/// <summary>Connects the subscribers, publishes, waits until all has arrived or nothing moves any more, and sums up.</summary>
internal sealed class FanoutRun(FanoutOptions options)
{
    private static readonly TimeSpan KeepAliveEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan NothingMoves = TimeSpan.FromSeconds(5);

    private readonly List<Subscriber> _subscribers = [];
    private readonly EventLoop[] _loops = [.. Enumerable.Range(0, options.ReaderThreads).Select(_ => new EventLoop())];
    private readonly DeliveryLedger[] _ledgers = [
        .. Enumerable.Range(0, options.ReaderThreads).Select(_ => new DeliveryLedger(options.Messages))
    ];
    private volatile bool _stop;
    private volatile string? _failure;

    private long Delivered => _ledgers.Sum(ledger => ledger.Delivered);

    private long Expected => options.Once ? options.Messages : (long)options.Messages * (options.Subscribers - options.Slow) / SharedBy;

    /// <summary>How many subscribers share the messages, because each has a queue of its own.</summary>
    private int SharedBy => options.SubscribePath.Contains("%d", StringComparison.Ordinal) ? options.Queues : 1;

    internal FanoutResult Execute()
    {
        GC.Collect(); // what an earlier run in this process left behind is not this one's to collect
        var before = ProcessGauge.ResidentMegabytes(options.Pids);
        var connecting = Clock.Now;
        Connect();
        var connectSeconds = Clock.SecondsSince(connecting);
        var readers = _loops.Select(StartReader).ToArray();
        Thread.Sleep(options.Settle);
        var connected = ProcessGauge.ResidentMegabytes(options.Pids);

        using var publishers = new PublisherLoop(options);
        var serverCpu = ProcessGauge.CpuSeconds(options.Pids);
        var ownCpu = ProcessGauge.OwnCpuSeconds();
        var start = Clock.Now;
        publishers.Run();
        AwaitDeliveries();
        serverCpu = ProcessGauge.CpuSeconds(options.Pids) - serverCpu;
        ownCpu = ProcessGauge.OwnCpuSeconds() - ownCpu;
        var after = ProcessGauge.ResidentMegabytes(options.Pids);

        _stop = true;
        Array.ForEach(readers, reader => reader.Join());
        if (_failure is not null)
        {
            throw new LoadException(_failure);
        }

        var result = SumUp(publishers, connectSeconds, start, serverCpu, ownCpu, new Memory(
            Math.Round(before, 1), Math.Round(connected, 1), Math.Round(after, 1), Math.Round(
                (connected - before) * 1024 / Math.Max(1, options.Subscribers),
                1)));
        Array.ForEach(_loops, loop => loop.Dispose());
        _subscribers.ForEach(subscriber => subscriber.Dispose());
        return result;
    }

    private void Connect()
    {
        for (var i = 0; i < options.Subscribers; i++)
        {
            var neverReads = i >= options.Subscribers - options.Slow;
            var subscriber = Open(i, _ledgers[i % _loops.Length], neverReads);
            _subscribers.Add(subscriber);
            if (!neverReads)
            {
                _loops[i % _loops.Length].Add(subscriber);
            }
        }
    }

    private Subscriber Open(int number, DeliveryLedger ledger, bool neverReads)
    {
        var path = options.SubscribePath.Replace("%d", $"{QueueOf(number)}", StringComparison.Ordinal);
        var node = number % (1 + options.MorePorts.Count);
        var port = node == 0 ? options.Port : options.MorePorts[node - 1];
        return options.Kind switch
        {
            SubscriberKind.WebSocket => new WebSocketSubscriber(port, path, options.Headers, ledger, neverReads),
            SubscriberKind.SignalR => new SignalRSubscriber(port, path, options.SignalRArguments, options.Headers, ledger, neverReads),
            _ => new HttpSubscriber(port, path, options.Headers, options.Kind == SubscriberKind.ServerSentEvents, ledger, neverReads),
        };
    }

    private int QueueOf(int number) => options.Queues > 1 ? number % options.Queues : number;

    private Thread StartReader(EventLoop loop, int number)
    {
        var thread = new Thread(() => Read(loop, number)) { IsBackground = true, Name = $"reader {number}" };
        thread.Start();
        return thread;
    }

    private void Read(EventLoop loop, int number)
    {
        try
        {
            var keptAlive = Clock.Now;
            while (!_stop)
            {
                loop.Poll(50);
                if (options.ReaderPauseMs > 0)
                {
                    Thread.Sleep(options.ReaderPauseMs);
                }

                if (Clock.SecondsSince(keptAlive) > KeepAliveEvery.TotalSeconds)
                {
                    keptAlive = Clock.Now;
                    for (var i = number; i < _subscribers.Count - options.Slow; i += _loops.Length)
                    {
                        _subscribers[i].KeepAlive();
                    }
                }
            }
        }
        catch (LoadException e)
        {
            _failure = e.Message;
        }
    }

    private void AwaitDeliveries()
    {
        var started = Clock.Now;
        var moved = started;
        var before = -1L;
        while (Delivered < Expected && _failure is null
            && Clock.SecondsSince(started) < options.Timeout.TotalSeconds && Clock.SecondsSince(moved) < NothingMoves.TotalSeconds)
        {
            Thread.Sleep(20);
            var now = Delivered;
            moved = now == before ? moved : Clock.Now;
            before = now;
        }
    }

    private FanoutResult SumUp(PublisherLoop publishers, double connectSeconds, long start, double serverCpu, double ownCpu, Memory memory)
    {
        var latencies = new LatencyHistogram();
        Array.ForEach(_ledgers, ledger => latencies.Merge(ledger.Latencies));
        var reading = _subscribers.Take(options.Subscribers - options.Slow).ToList();
        var delivered = Delivered;
        var per = Math.Max(1, delivered);
        var lastAt = _ledgers.Max(ledger => ledger.LastAt);
        var (lost, duplicates) = options.Once ? CountOnce() : (Expected - delivered, 0);
        if (reading.Find(subscriber => subscriber.Closed || subscriber.Reason is not null) is { } ended)
        {
            Console.Error.WriteLine($"a subscriber's connection ended: {ended.Reason ?? "no reason given"}");
        }

        return new FanoutResult(
            options.Kind.ToString(), options.Subscribers, options.Slow, options.Messages, options.Size, Math.Round(connectSeconds, 2),
            Math.Round(options.Messages / publishers.Seconds), delivered, Math.Round(
                lastAt == 0 ? 0 : delivered / ((lastAt - start) / 1e9)),
            Math.Round((double)reading.Sum(subscriber => subscriber.BytesReceived) / per, 1),
            lost, duplicates + _ledgers.Sum(ledger => ledger.Duplicates), _ledgers.Sum(ledger => ledger.OutOfOrder),
            reading.Count(subscriber => subscriber.Closed), publishers.Errors, latencies.Summary(),
            Math.Round(serverCpu * 1e6 / per, 3), Math.Round(ownCpu * 1e6 / per, 3), memory);
    }

    /// <summary>Round robin: what nobody got is lost, what two subscribers got is a duplicate.</summary>
    private (long Lost, long Duplicates) CountOnce()
    {
        long lost = 0, duplicates = 0;
        for (var message = 0; message < options.Messages; message++)
        {
            var times = _ledgers.Sum(ledger => ledger.TimesSeen[message]);
            lost += times == 0 ? 1 : 0;
            duplicates += Math.Max(0, times - 1);
        }

        return (lost, duplicates);
    }
}
