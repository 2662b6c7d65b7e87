using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>Works on the messages of many queues over one stream with manual ack, and connects again whenever that ends.</summary>
internal sealed class ManyWorker(
    Scene scene, string name, IReadOnlyList<string> queues, Func<Uri, StreamLink> makeLink, string options, Random random)
{
    private readonly Settlements _settlements = new(scene, random);
    private readonly string _query = $"{string.Join('&', queues.Select(queue => $"queue={queue}"))}&ack=manual&{options}";

    public async Task RunAsync()
    {
        while (!scene.End.IsCancellationRequested)
        {
            await ReadAsync(scene.AnyAddress(random));
            await scene.PauseAsync(random.Next(10, 100));
        }

        await _settlements.EndAsync();
    }

    private async Task ReadAsync(Uri address)
    {
        var connections = queues.ToDictionary(queue => queue, queue => scene.Record.Connect(queue, name, scene.ServerAt(address)));
        await using var link = makeLink(address);
        await foreach (var received in link.ReadAsync("", _query, scene.End))
        {
            if (received.Event is null)
            {
                var key = Scene.KeyOf(received.Id, received.Json.GetProperty("body"));
                scene.Record.Add(new Arrived(
                    received.Queue, name, connections[received.Queue], key, received.Attempt, Receipt: received.Receipt));
                _settlements.Begin(link, received.Queue, received);
            }
        }
    }
}
