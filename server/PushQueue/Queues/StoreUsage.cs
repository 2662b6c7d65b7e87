namespace PushQueue.Queues;

/// <summary>The room that a store takes up, and the room that is left for it.</summary>
/// <param name="UsedBytes">Bytes that the store itself takes up on its medium.</param>
/// <param name="FreeBytes">Bytes that are left there; null where that cannot be told.</param>
/// <param name="TotalBytes">The size of the medium; null likewise.</param>
/// <param name="Files">Files of the store; 0 where it has none.</param>
internal sealed record StoreUsage(long UsedBytes, long? FreeBytes, long? TotalBytes, int Files);
