using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Counts the bodies held in memory. The oldest messages are taken first, so the first bodies to come stay and later ones are read back
/// from the log; nothing is ever evicted.
/// </summary>
internal sealed class BodyCache(long bytesMax)
{
    // An array of the runtime costs this much in addition to its bytes; without it, a million tiny bodies would seem to be free.
    private const int OverheadBytes = 24;
    private long _bytes;

    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Keeps the body with its message where there is room; otherwise the log alone has it.</summary>
    public void KeepIfRoom(StoredMessage message, byte[] body)
    {
        if (message.Shared is { } shared)
        {
            message.Body = shared.HoldBody() ?? Share(shared, body);
            return;
        }

        message.Body = TryCount(body) ? body : null;
    }

    /// <summary>The message was put with its body; the log has it now too.</summary>
    public void KeepIfRoom(StoredMessage message)
    {
        var body = message.Body!;
        message.Body = null;

        // A quarter stays free for what is read ahead: that is needed next, a put only when its turn comes.
        if (Bytes < bytesMax / 4 * 3)
        {
            KeepIfRoom(message, body);
        }
    }

    /// <summary>The message no longer needs its body in memory.</summary>
    public void Release(StoredMessage message)
    {
        if (message.Body is { } body)
        {
            message.Body = null;
            if (message.Shared?.ReleaseBody() ?? true)
            {
                Uncount(body);
            }
        }
    }

    /// <summary>The first message of the record keeps the body; null where there is no room.</summary>
    private byte[]? Share(SharedRecord shared, byte[] body)
    {
        if (!TryCount(body))
        {
            return null;
        }

        if (!shared.TryHoldFirst(ref body))
        {
            Uncount(body);
        }

        return body;
    }

    private bool TryCount(byte[] body)
    {
        var bytes = body.Length + OverheadBytes;
        if (Interlocked.Add(ref _bytes, bytes) <= bytesMax)
        {
            return true;
        }

        Interlocked.Add(ref _bytes, -bytes);
        return false;
    }

    private void Uncount(byte[] body) => Interlocked.Add(ref _bytes, -(body.Length + OverheadBytes));

    /// <summary>History is read rarely; it may hold at most half of the memory.</summary>
    public bool HasRoomForHistory => Bytes < bytesMax / 2;
}
