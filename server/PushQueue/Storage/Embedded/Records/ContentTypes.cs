using System.Collections.Concurrent;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// Content types as they stand in records: the usual ones as one byte (0 means that the text follows). The numbers are on disk: they may
/// only ever grow. Texts read back are shared, because a million messages have few types between them.
/// </summary>
internal static class ContentTypes
{
    private const int SharedMax = 1000;

    private static readonly string[] Usual =
    [
        "", "application/json", "text/plain", "application/octet-stream", "text/plain; charset=utf-8", "application/json; charset=utf-8",
        "text/plain;charset=UTF-8", "application/x-www-form-urlencoded",
    ];

    private static readonly ConcurrentDictionary<string, string> Shared = new(StringComparer.Ordinal);

    public static void Write(ref SpanWriter writer, string contentType)
    {
        var usual = Array.IndexOf(Usual, contentType, 1);
        writer.Byte((byte)Math.Max(0, usual));
        if (usual < 0)
        {
            writer.Text(contentType);
        }
    }

    public static string Read(ref SpanReader reader)
    {
        var usual = reader.Byte();
        if (usual >= Usual.Length)
        {
            throw new InvalidDataException($"The record names the unknown content type {usual}.");
        }

        return usual > 0 ? Usual[usual] : Share(reader.Text());
    }

    /// <summary>One string for equal texts, up to a bound.</summary>
    public static string Share(string contentType)
    {
        var usual = Array.IndexOf(Usual, contentType, 1);
        if (usual > 0)
        {
            return Usual[usual];
        }

        return Shared.Count < SharedMax ? Shared.GetOrAdd(contentType, contentType) : Shared.GetValueOrDefault(contentType, contentType);
    }
}
