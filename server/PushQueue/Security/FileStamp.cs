namespace PushQueue.Security;

/// <summary>By what a change of a file is noticed: the file behind all links, its time and its length.</summary>
/// <param name="Target">Where the links lead. A mounted secret changes by what a link in the middle of its path points to.</param>
/// <param name="At">When it was written, UTC.</param>
/// <param name="Bytes">How long it is.</param>
internal readonly record struct FileStamp(string Target, DateTime At, long Bytes)
{
    /// <summary>The stamp of a file as it is now; null where the file does not exist.</summary>
    /// <exception cref="IOException">The links lead in a circle.</exception>
    public static FileStamp? Of(string path)
    {
        // Of a link .NET tells the link's own time and length.
        var target = File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is { } final
            ? new FileInfo(final.FullName)
            : new FileInfo(path);
        return target.Exists ? new FileStamp(target.FullName, target.LastWriteTimeUtc, target.Length) : null;
    }
}
