using PushQueue.Load.Measuring;
using PushQueue.Load.Net;

namespace PushQueue.Load.Operations;

/// <summary>Runs one kind of operation to its end, over as many connections and threads as asked for, and sums up.</summary>
internal sealed class OperationRun(OperationOptions options)
{
    private readonly WorkLedger _work = new(options.Operations);
    private volatile bool _timedOut;

    internal OperationResult Execute()
    {
        GC.Collect();
        var latencies = new LatencyHistogram();
        var drive = options.Kind == OperationKind.Consume ? PrepareConsumer() : PrepareConnections(latencies);
        var serverCpu = ProcessGauge.CpuSeconds(options.Pids);
        var ownCpu = ProcessGauge.OwnCpuSeconds();
        var start = Clock.Now;
        drive(start);
        var seconds = Clock.SecondsSince(start);
        serverCpu = ProcessGauge.CpuSeconds(options.Pids) - serverCpu;
        ownCpu = ProcessGauge.OwnCpuSeconds() - ownCpu;

        if (_timedOut)
        {
            _work.Fail("timed out"u8);
        }

        var done = Math.Max(1, _work.Done);
        var gives = options.Kind is OperationKind.Take or OperationKind.LeaseAck or OperationKind.Consume;
        return new OperationResult(
            options.Kind.ToString(), options.Protocol.ToString(), options.Connections, options.Window, options.Operations,
            Math.Round(_work.Done / seconds), _work.Failed, gives ? _work.Missing : 0, gives ? _work.Duplicates : 0, latencies.Summary(),
            Math.Round(serverCpu * 1e6 / done, 3), Math.Round(ownCpu * 1e6 / done, 3));
    }

    private Action<long> PrepareConnections(LatencyHistogram latencies)
    {
        var loops = Enumerable.Range(0, options.Threads).Select(_ => new EventLoop()).ToArray();
        var connections = Enumerable.Range(0, options.Connections).Select(_ => Open()).ToArray();
        for (var i = 0; i < connections.Length; i++)
        {
            loops[i % loops.Length].Add(connections[i]);
        }

        return start =>
        {
            var threads = loops.Select((loop, t) => new Thread(() =>
                Drive(loop, [.. connections.Where((_, i) => i % loops.Length == t)], start))).ToArray();
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            Array.ForEach(connections, connection => latencies.Merge(connection.Latencies));
            Array.ForEach(loops, loop => loop.Dispose());
        };
    }

    private void Drive(EventLoop loop, OperationConnection[] connections, long start)
    {
        Array.ForEach(connections, connection => connection.Next());
        while (Array.Exists(connections, connection => !connection.Finished) && !TimeIsUp(start))
        {
            loop.Poll(100);
        }
    }

    private Action<long> PrepareConsumer()
    {
        // Connecting is inside the measured time: the server pushes from the moment of the handshake.
        return start =>
        {
            using var loop = new EventLoop();
            var consumer = new ManualAckConsumer(options, _work);
            loop.Add(consumer);
            while (!consumer.Finished && !TimeIsUp(start))
            {
                loop.Poll(100);
                consumer.Flush();
            }
        };
    }

    private OperationConnection Open() => (options.Protocol, options.Kind) switch
    {
        (Protocol.Http, OperationKind.Put) => new HttpPut(options, _work),
        (Protocol.Http, OperationKind.Take) => new HttpTake(options, _work),
        (Protocol.Http, OperationKind.Batch) => new HttpBatch(options, _work),
        (Protocol.Http, OperationKind.LeaseAck) => new HttpLeaseAck(options, _work),
        (Protocol.Beanstalk, OperationKind.Put) => new BeanstalkPut(options, _work),
        (Protocol.Beanstalk, OperationKind.Take) => new BeanstalkTake(options, _work),
        (Protocol.JetStream, OperationKind.Put) => new JetStreamPut(options, _work),
        (Protocol.JetStream, OperationKind.Take) => new JetStreamTake(options, _work),
        _ => throw new LoadException($"{options.Protocol} has no {options.Kind}"),
    };

    private bool TimeIsUp(long start) => _timedOut |= Clock.SecondsSince(start) > options.Timeout.TotalSeconds;
}
