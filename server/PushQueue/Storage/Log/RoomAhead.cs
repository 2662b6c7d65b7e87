namespace PushQueue.Storage.Log;

/// <summary>
/// Zeros at the end of the last segment, where the next records go. A flush of records that overwrite them has only their bytes to
/// write; one
/// of a file that grew writes the file's new length too, in a second step. They are cut off when the segment is sealed.
/// </summary>
internal static class RoomAhead
{
    private static readonly byte[] Zeros = new byte[64 * 1024];

    /// <summary>Adds room behind what is about to be written, where that would make the file grow. A disk without room for it gives
    /// none.</summary>
    public static void Prepare(Segment segment, long end, int bytes)
    {
        if (bytes == 0 || end <= segment.FileLength || segment.HasNoRoomAhead)
        {
            return;
        }

        var before = segment.FileLength;
        try
        {
            for (var at = end; at < end + bytes; at += Zeros.Length)
            {
                var length = (int)Math.Min(Zeros.Length, end + bytes - at);
                RandomAccess.Write(segment.Handle, Zeros.AsSpan(0, length), at);
            }

            segment.FileLength = end + bytes;
        }
        catch (IOException)
        {
            // The disk is full, or nearly: what is left of it is for messages.
            RandomAccess.SetLength(segment.Handle, before);
            segment.HasNoRoomAhead = true;
        }
    }

    /// <summary>Cuts the room off: no further record comes.</summary>
    public static void Cut(Segment segment)
    {
        if (segment.FileLength > segment.Length)
        {
            RandomAccess.SetLength(segment.Handle, segment.Length);
            segment.FileLength = segment.Length;
        }
    }

    /// <summary>Whether the file holds nothing but room from there on.</summary>
    public static bool IsAllThatFollows(Segment segment, long end)
    {
        var buffer = new byte[Zeros.Length];
        for (var at = end; at < segment.Length;)
        {
            var read = RandomAccess.Read(segment.Handle, buffer, at);
            if (read == 0 || buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                return read == 0;
            }

            at += read;
        }

        return true;
    }
}
