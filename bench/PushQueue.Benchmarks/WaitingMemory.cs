using System.Globalization;
using PushQueue.Queues;

namespace PushQueue.Benchmarks;

/// <summary>The managed memory of waiting messages, with keys and without: what is left after a full collection.</summary>
internal static class WaitingMemory
{
    private const int Messages = 200_000;
    private const int MessagesOfAKey = 10;
    private const int Batch = 1000;

    public static async Task PrintAsync()
    {
        var plain = await MeasureAsync(keys: 0);
        var keyed = await MeasureAsync(Messages / MessagesOfAKey);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"bytes of memory a waiting message: {plain:F0} without keys, {keyed:F0} with {MessagesOfAKey} messages a key; "
            + $"a key costs {keyed - plain:F0} more each"));
    }

    private static async Task<double> MeasureAsync(int keys)
    {
        var server = BenchmarkServer.Start();
        try
        {
            var queue = QueueName.Parse("waiting");
            await PutAsync(server.Broker, queue, Batch, keys);
            var before = GC.GetTotalMemory(forceFullCollection: true);
            await PutAsync(server.Broker, queue, Messages, keys);
            return (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / Messages;
        }
        finally
        {
            server.Stop();
        }
    }

    private static async Task PutAsync(IMessageBroker broker, QueueName queue, int count, int keys)
    {
        for (var first = 0; first < count; first += Batch)
        {
            var messages = Enumerable.Range(first, Batch).Select(number => new NewMessage
            {
                Body = ReadOnlyMemory<byte>.Empty,
                ContentType = "application/octet-stream",
                Key = keys == 0 ? null : (number % keys).ToString("D7", CultureInfo.InvariantCulture),
            });
            var put = await broker.PutManyAsync(queue, [.. messages]);
            if (!put.Ok)
            {
                throw new InvalidOperationException($"A batch was refused: {put.Error} {put.Detail}");
            }
        }
    }
}
