namespace PushQueue.Delivery;

/// <summary>How messages are pushed.</summary>
public sealed class DeliveryOptions
{
    /// <summary>Bytes that may wait for one connection before its overflow policy applies.</summary>
    public int BufferBytesMax { get; set; } = 1024 * 1024;

    /// <summary>
    /// Bytes that may wait for all connections together, 1 MiB to 1 TiB, before the slowest are closed; null for a quarter of the memory
    /// that the process may use.
    /// </summary>
    public long? BuffersBytesMax { get; set; }

    /// <summary>
    /// The longest message of a WebSocket or hub client, in bytes; null for twice the largest body and 64 KiB, so that a command around any
    /// body that is not mostly escapes fits.
    /// </summary>
    public int? FrameBytesMax { get; set; }

    /// <summary>A connection that takes nothing for this long although something waits is closed.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>An idle stream gets a heartbeat this often.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How many queues one connection may subscribe to.</summary>
    public int SubscriptionsPerConnectionMax { get; set; } = 1000;

    /// <summary>How many commands one socket may send a second; one second's worth may come at once.</summary>
    public int CommandsPerSecondMax { get; set; } = 20_000;

    /// <summary>How many commands of one socket may wait at once (<c>wait</c>, <c>waitForAck</c>).</summary>
    public int WaitingCommandsMax { get; set; } = 100;

    /// <summary>How long open streams have to end by themselves when the server stops.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
