using BenchmarkDotNet.Attributes;
using PushQueue.Queues;

namespace PushQueue.Benchmarks;

/// <summary>The three operations of a work queue on the embedded store, durability memory, 100-byte bodies, one caller.</summary>
public class StoreBenchmarks
{
    private const int Operations = 4096;

    private static readonly QueueName Queue = QueueName.Parse("benchmark");
    private static readonly TakeRequest One = new();
    private static readonly TakeRequest OneFor = new(TimeToRun: TimeSpan.FromMinutes(1));

    private readonly byte[] _body = new byte[100];
    private BenchmarkServer _server = null!;
    private IMessageBroker _broker = null!;

    [GlobalSetup]
    public void Start()
    {
        _server = BenchmarkServer.Start();
        _broker = _server.Broker;
    }

    [GlobalCleanup]
    public void Stop() => _server.Stop();

    [IterationSetup(Targets = [nameof(Take), nameof(LeaseAndAck)])]
    public void Fill() => PutAllAsync().GetAwaiter().GetResult();

    [IterationCleanup]
    public void Empty() => _ = _broker.PurgeAsync(Queue).AsTask().GetAwaiter().GetResult();

    [Benchmark(OperationsPerInvoke = Operations)]
    public Task Put() => PutAllAsync();

    [Benchmark(OperationsPerInvoke = Operations)]
    public async Task Take()
    {
        for (var i = 0; i < Operations; i++)
        {
            var taken = await _broker.TakeAsync(Queue, One, CancellationToken.None);
            Check(taken.Value.Count == 1);
        }
    }

    [Benchmark(OperationsPerInvoke = Operations)]
    public async Task LeaseAndAck()
    {
        for (var i = 0; i < Operations; i++)
        {
            var leases = await _broker.LeaseAsync(Queue, OneFor, CancellationToken.None);
            var ended = await _broker.AckAsync(Queue, [new LeaseKey(leases.Value[0].Message.Id, leases.Value[0].Receipt)]);
            Check(ended[0] == QueueError.None);
        }
    }

    private async Task PutAllAsync()
    {
        for (var i = 0; i < Operations; i++)
        {
            var put = await _broker.PutAsync(Queue, new NewMessage { Body = _body, ContentType = "application/octet-stream" });
            Check(put.Ok);
        }
    }

    private static void Check(bool worked)
    {
        if (!worked)
        {
            throw new InvalidOperationException("The operation failed, so its time says nothing.");
        }
    }
}
