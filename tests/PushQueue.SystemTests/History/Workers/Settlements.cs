using System.Collections.Concurrent;
using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>Settles the messages of a consumer with manual ack: acks most, gives some back and forgets some.</summary>
internal sealed class Settlements(Scene scene, Random random)
{
    private readonly ConcurrentDictionary<Task, byte> _settling = new();

    public void Begin(StreamLink link, string queue, Received received)
    {
        var settling = SettleAsync(link, queue, received, random.Next(100));
        _settling[settling] = 0;
        _ = settling.ContinueWith(done => _settling.TryRemove(done, out _), TaskScheduler.Default);
    }

    public Task EndAsync() => Task.WhenAll(_settling.Keys);

    private async Task SettleAsync(StreamLink link, string queue, Received received, int chance)
    {
        // Some are forgotten: they come back when the connection ends. Some are given back: after enough of that they are dead letters.
        if (scene.Producing && chance < 3)
        {
            return;
        }

        if (scene.Producing && chance < 9)
        {
            scene.Record.Add(new ReleaseSent(queue, received.Id));
            _ = await link.SettleAsync("release", queue, received.Id, received.Receipt);
            return;
        }

        scene.Record.Add(new AckSent(queue, received.Id));
        if (await link.SettleAsync("ack", queue, received.Id, received.Receipt) is true)
        {
            scene.Record.Add(new AckConfirmed(queue, received.Id, received.Attempt));
        }
    }
}
