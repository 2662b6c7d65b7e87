using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>
/// Has messages pushed to it and connects again whenever its connection ends. Under manual ack it acks most, gives some back and forgets
/// some.
/// </summary>
internal class StreamConsumer(
    Scene scene,
    string name,
    string queue,
    Func<Uri,
    StreamLink> makeLink,
    string options,
    Random random,
    bool steady = false)
{
    private readonly bool _manual = options.Contains("ack=manual", StringComparison.Ordinal);
    private readonly bool _mayOverflow = options.Contains("overflow=drop-oldest", StringComparison.Ordinal)
        || options.Contains("overflow=latest", StringComparison.Ordinal);
    private readonly Settlements _settlements = new(scene, random);

    protected Scene Scene => scene;

    protected string Name => name;

    public string Queue => queue;

    protected string Options => options;

    protected Random Random => random;

    public async Task RunAsync()
    {
        while (!scene.End.IsCancellationRequested)
        {
            var address = ChooseAddress();
            if (await OptionsAsync(address) is { } now)
            {
                await ReadAsync(address, now);
            }

            await scene.PauseAsync(random.Next(10, 100));
        }

        await _settlements.EndAsync();
    }

    protected virtual Uri ChooseAddress() => steady ? scene.AnySteadyAddress(random) : scene.AnyAddress(random);

    /// <summary>The options of the next connection; null where they cannot be known yet.</summary>
    protected virtual ValueTask<string?> OptionsAsync(Uri address) => new(options);

    protected virtual ValueTask OnEventAsync(Uri address, int connection, Received received) => default;

    protected virtual ValueTask OnMessageAsync(int connection, Received received, string key)
    {
        scene.Record.Add(new Arrived(queue, name, connection, key, received.Attempt, Receipt: _manual ? received.Receipt : ""));
        return default;
    }

    private async Task ReadAsync(Uri address, string now)
    {
        var connection = scene.Record.Connect(queue, name, scene.ServerAt(address), _mayOverflow);
        await using var link = makeLink(address);
        await foreach (var received in link.ReadAsync(queue, now, scene.End))
        {
            if (received.Event is not null)
            {
                await OnEventAsync(address, connection, received);
                continue;
            }

            await OnMessageAsync(connection, received, Scene.KeyOf(received.Id, received.Json.GetProperty("body")));
            if (_manual)
            {
                _settlements.Begin(link, queue, received);
            }
        }
    }
}
