using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using PushQueue.Security;

namespace PushQueue.Transports.Rest;

/// <summary>Reads a whole body, bounded, into an array of exactly its size.</summary>
internal static class RequestBody
{
    public const string ChunkTooLong = "A chunk of the body is announced with 2 GiB or more; send smaller chunks.";

    private const int FirstBufferBytes = 4096;

    // A Content-Length costs its sender nothing; memory is for what has come.
    private const int FirstBodyBytes = 64 * 1024;

    /// <param name="context">The request.</param>
    /// <param name="bytesMax">
    /// More is <paramref name="tooLarge"/>, reported before it is read if the client announces its length.
    /// </param>
    /// <param name="tooLarge">The problem of a body that is too large.</param>
    public static async ValueTask<(byte[] Body, Problem? Problem)> ReadAsync(HttpContext context, int bytesMax, ProblemType tooLarge)
    {
        LiftServerLimit(context);
        if (context.Request.ContentLength is not { } length)
        {
            return await ReadUnknownAsync(context, bytesMax, tooLarge);
        }

        if (length > bytesMax)
        {
            return ([], TooLarge(tooLarge, length, bytesMax));
        }

        if (length == 0)
        {
            return ([], null);
        }

        // hot path: every put. One array, one copy, but for a large body.
        var body = GC.AllocateUninitializedArray<byte>((int)Math.Min(length, FirstBodyBytes));
        var filled = 0;
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            var buffer = read.Buffer;
            if (filled + buffer.Length > body.Length)
            {
                Array.Resize(ref body, (int)Math.Min(length, Math.Max(body.Length * 2L, filled + buffer.Length)));
            }

            buffer.CopyTo(body.AsSpan(filled));
            filled += (int)buffer.Length;
            reader.AdvanceTo(buffer.End);
            if (read.IsCompleted || filled == length)
            {
                return filled == length
                    ? (body, null)
                    : ([], new Problem(ProblemType.BadRequest, "The body ended before its Content-Length."));
            }
        }
    }

    /// <summary>The limits here are per route and say so in a problem; the server's own would come first where it is lower.</summary>
    public static void LiftServerLimit(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = null;
        }
    }

    /// <summary>
    /// Whether the web server gave up on the size of a chunk. It reports a size that it cannot hold by this exception instead of the one of
    /// a bad request.
    /// </summary>
    public static bool IsChunkTooLong(IOException e) => e.InnerException is OverflowException;

    public static Problem TooLarge(ProblemType type, long bytes, int bytesMax) =>
        new(type, $"The body has {bytes} bytes; at most {bytesMax} are allowed. {type.Advice}");

    private static async ValueTask<(byte[] Body, Problem? Problem)> ReadUnknownAsync(
        HttpContext context, int bytesMax, ProblemType tooLarge)
    {
        var rented = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        try
        {
            var filled = 0;
            var reader = context.Request.BodyReader;
            while (true)
            {
                var read = await reader.ReadAsync(context.RequestAborted);
                var buffer = read.Buffer;
                if (filled + buffer.Length > bytesMax)
                {
                    reader.AdvanceTo(buffer.Start);
                    return ([], new Problem(tooLarge, $"The body has more than {bytesMax} bytes. {tooLarge.Advice}"));
                }

                rented = Grown(rented, filled, (int)buffer.Length);
                buffer.CopyTo(rented.AsSpan(filled));
                filled += (int)buffer.Length;
                reader.AdvanceTo(buffer.End);
                if (read.IsCompleted)
                {
                    (context.User as Caller)?.Spend(0, filled);
                    return (rented.AsSpan(0, filled).ToArray(), null);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static byte[] Grown(byte[] rented, int filled, int more)
    {
        if (rented.Length - filled >= more)
        {
            return rented;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(rented.Length * 2, filled + more));
        rented.AsSpan(0, filled).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(rented);
        return larger;
    }
}
