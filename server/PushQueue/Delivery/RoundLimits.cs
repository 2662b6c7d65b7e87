namespace PushQueue.Delivery;

/// <summary>What one round of a queue gives out at most, so that a long backlog neither fills the memory nor holds up a change of settings.</summary>
internal static class RoundLimits
{
    public const int MessagesMax = 512;

    public const int BytesMax = 256 * 1024;
}
