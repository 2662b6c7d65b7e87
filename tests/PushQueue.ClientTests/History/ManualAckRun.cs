using System.Collections.Concurrent;
using PushQueue.Client;

namespace PushQueue.ClientTests.History;

/// <summary>
/// Consumers that treat their messages as badly as programs do: they ack, give back, say that they have not begun, or just go. Notes down
/// what the server has said to each ack.
/// </summary>
internal sealed class ManualAckRun(PushQueueClient client, string queue, ConsumeTransport transport, int seed)
{
    private readonly ConcurrentDictionary<string, byte> _acked = new();
    private int _abandoned;

    public ICollection<string> Acked => _acked.Keys;

    /// <summary>How often a message was not acked by who had got it.</summary>
    public int Abandoned => _abandoned;

    /// <summary>Consumes, in one stream after the other, until the end is asked for.</summary>
    public async Task ConsumeAsync(int number, CancellationToken end)
    {
        var random = new Random(seed + number);
        var options = new ConsumeOptions { Transport = transport, Ack = AckMode.Manual, Prefetch = 20 };
        try
        {
            while (true)
            {
                await foreach (var message in client.ConsumeAsync(queue, options, end))
                {
                    if (!await TreatAsync(message, random.Next(40), end))
                    {
                        break;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    /// <returns>False where the consumer goes, with whatever it holds.</returns>
    private async Task<bool> TreatAsync(Message message, int way, CancellationToken end)
    {
        if (way < 3)
        {
            Interlocked.Increment(ref _abandoned);
        }

        switch (way)
        {
            case 0:
                return false;
            case 1:
                await message.ReleaseAsync(TimeSpan.Zero, "not today", end);
                return true;
            case 2:
                await message.ReleaseUnstartedAsync(cancellationToken: end);
                return true;
            default:
                if (await message.AckAsync(end))
                {
                    _acked[message.Id] = 0;
                }

                return true;
        }
    }
}
