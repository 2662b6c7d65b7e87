namespace PushQueue.Delivery;

/// <summary>
/// The most that one round of a queue gives out, so that a long backlog neither fills the memory nor delays new settings.
/// </summary>
internal static class RoundLimits
{
    public const int MessagesMax = 512;

    public const int BytesMax = 256 * 1024;
}
