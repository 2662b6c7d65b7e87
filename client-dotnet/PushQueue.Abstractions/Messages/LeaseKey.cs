namespace PushQueue.Client;

/// <summary>One lease, as the protocol names it.</summary>
internal sealed record LeaseKey(string Id, string Receipt);
