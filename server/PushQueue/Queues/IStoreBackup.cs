namespace PushQueue.Queues;

/// <summary>
/// A store that can copy itself while it serves. A store that keeps its messages elsewhere (Redis) is backed up there and does not
/// implement this.
/// </summary>
internal interface IStoreBackup
{
    /// <summary>
    /// Writes an archive (tar) of everything that was answered before the call; what comes later may be in it, in order and without holes.
    /// Puts and takes go on meanwhile.
    /// </summary>
    /// <exception cref="IOException">
    /// The disk cannot be read, or the destination cannot be written; the archive then lacks its end.
    /// </exception>
    Task WriteArchiveAsync(Stream destination, CancellationToken cancellationToken);
}
