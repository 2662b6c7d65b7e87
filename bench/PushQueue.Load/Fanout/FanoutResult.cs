using PushQueue.Load.Measuring;

namespace PushQueue.Load.Fanout;

internal sealed record Memory(double BeforeMb, double ConnectedMb, double AfterMb, double KbPerSubscriber);

internal sealed record FanoutResult(
    string Kind,
    int Subscribers,
    int Slow,
    int Messages,
    int Size,
    double ConnectSeconds,
    double PublishedPerSecond,
    long Deliveries,
    double DeliveriesPerSecond,
    double BytesPerDelivery,
    long Lost,
    long Duplicates,
    long OutOfOrder,
    int Closed,
    int PublishErrors,
    Latency LatencyMs,
    double ServerCpuMicrosPerDelivery,
    double ClientCpuMicrosPerDelivery,
    Memory ServerMemory)
{
    internal bool Sound => Lost == 0 && Duplicates == 0 && PublishErrors == 0;
}
