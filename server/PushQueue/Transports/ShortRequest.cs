namespace PushQueue.Transports;

/// <summary>
/// Marks an endpoint whose GET and POST take microseconds of CPU and never block, so that they may run on a thread that others wait for;
/// see <see cref="SocketThreadExtensions"/>.
/// </summary>
internal sealed class ShortRequest
{
    private ShortRequest()
    {
    }

    public static ShortRequest Mark { get; } = new();
}
