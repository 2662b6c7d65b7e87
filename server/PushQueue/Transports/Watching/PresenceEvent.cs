using PushQueue.Transports.Json;

namespace PushQueue.Transports.Watching;

/// <summary>One item of a stream of presence, encoded once for all watchers.</summary>
/// <param name="Name">state, joined, left, settings or deleted.</param>
/// <param name="Json">The whole item, the name included.</param>
internal readonly record struct PresenceEvent(string Name, byte[] Json)
{
    public static PresenceEvent Of(PresenceContract contract) =>
        new(contract.Event!, JsonBuffer.Write(contract, ContractContext.Default.PresenceContract));
}
