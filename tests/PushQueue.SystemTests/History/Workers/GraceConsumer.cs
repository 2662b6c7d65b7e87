using PushQueue.SystemTests.History.Judging;
using PushQueue.SystemTests.History.Links;

namespace PushQueue.SystemTests.History.Workers;

/// <summary>
/// Acks by hand and has its messages kept while its connection is gone; mostly takes up its place again, sometimes leaves it to its end.
/// </summary>
internal sealed class GraceConsumer(Scene scene, string name, string queue, Func<Uri, StreamLink> makeLink, Random random)
    : StreamConsumer(scene, name, queue, makeLink, "ack=manual&grace=2s", random)
{
    private (Uri Address, string Token)? _place;

    /// <summary>A place is known to the server alone that gave it.</summary>
    protected override Uri ChooseAddress()
    {
        if (Random.Next(5) == 0)
        {
            _place = null;
        }

        return _place?.Address ?? base.ChooseAddress();
    }

    protected override ValueTask<string?> OptionsAsync(Uri address) =>
        new(_place is { } place ? $"{Options}&consumer={place.Token}" : Options);

    protected override ValueTask OnEventAsync(Uri address, int connection, Received received)
    {
        if (received.Event == "subscribed")
        {
            var token = received.Json.GetProperty("token").GetString()!;
            Scene.Record.Add(new PlaceTold(Queue, Name, connection, token, received.Json.GetProperty("resumed").GetInt32()));
            _place = (address, token);
        }

        return default;
    }
}
