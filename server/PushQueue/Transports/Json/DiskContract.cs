namespace PushQueue.Transports.Json;

/// <summary>The room that the messages take up.</summary>
/// <param name="UsedBytes">By the store.</param>
/// <param name="FreeBytes">Left on the disk; null where the store cannot say.</param>
/// <param name="TotalBytes">Of the disk; null where the store cannot say.</param>
/// <param name="Files">Of the store.</param>
internal sealed record DiskContract(long UsedBytes, long? FreeBytes, long? TotalBytes, int Files);
