using BenchmarkDotNet.Attributes;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Benchmarks;

/// <summary>
/// Encoding a page of ten 100-byte messages as WebSocket envelopes, and offering a page to the buffers of 1,000 idle connections.
/// </summary>
public class DeliveryBenchmarks
{
    private const int Buffers = 1000;

    private readonly Message[] _messages = [.. Enumerable.Range(1, 10).Select(static number => new Message
    {
        Queue = QueueName.Parse("benchmark"),
        Id = MessageId.FromNumber(number),
        Body = System.Text.Encoding.UTF8.GetBytes(new string('x', 100)),
        ContentType = "text/plain",
        State = MessageState.Ready,
        EnqueuedAt = DateTimeOffset.UnixEpoch,
        AvailableAt = DateTimeOffset.UnixEpoch,
        Offset = number,
    })];

    private readonly OutboundBuffer[] _buffers = new OutboundBuffer[Buffers];
    private EncodedPage _page = null!;

    [GlobalSetup]
    public void Open()
    {
        _page = EncodePage();
        for (var i = 0; i < Buffers; i++)
        {
            _buffers[i] = new OutboundBuffer(new NullConnection(), new CoarseClock(), new DeliveryOptions());
            _buffers[i].Open();
        }
    }

    [Benchmark]
    public object EncodeEnvelopePage() => EncodePage();

    private EncodedPage EncodePage() =>
        new MessageBatch(_messages, "epoch", DateTimeOffset.UnixEpoch).PageFor(WebSocketFormat.Envelopes);

    [Benchmark(OperationsPerInvoke = Buffers)]
    public int OfferToBuffers()
    {
        var written = 0;
        foreach (var buffer in _buffers)
        {
            written += buffer.Offer(_page) == OfferOutcome.Written ? 1 : 0;
        }

        return written == Buffers ? written : throw new InvalidOperationException("A buffer did not write, so the time says nothing.");
    }
}
