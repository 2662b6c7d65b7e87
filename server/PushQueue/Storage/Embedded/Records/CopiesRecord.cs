using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// Payload of <see cref="RecordType.Copies"/>: the number of messages; the length of the first message, and that message as in
/// <see cref="MessageRecord"/> but without its body; the other messages; the body up to the end. A message that differs from the first
/// only in its queue, sequence, time available and the time until which its id is known consists of these four numbers. Any other message
/// consists of a 0, its length and itself, like the first.
/// </summary>
internal static class CopiesRecord
{
    private const int ShortBytesMax = 4 * SpanWriter.NumberBytesMax;

    public static int BytesMax(ReadOnlySpan<MessagePart> parts, bool areFresh)
    {
        var bytes = SpanWriter.NumberBytesMax + parts[0].Message.BodyLength + WholeBytesMax(parts[0].Message);
        if (areFresh)
        {
            return bytes + (ShortBytesMax * (parts.Length - 1));
        }

        foreach (var part in parts[1..])
        {
            bytes += WholeBytesMax(part.Message);
        }

        return bytes;
    }

    /// <param name="writer">Where to.</param>
    /// <param name="parts">The messages.</param>
    /// <param name="areFresh">Whether all but the first were just made by <see cref="StoredMessage.CopyFor"/> of it.</param>
    /// <param name="body">The body of all.</param>
    public static void Write(ref SpanWriter writer, ReadOnlySpan<MessagePart> parts, bool areFresh, ReadOnlySpan<byte> body)
    {
        writer.Number(parts.Length);
        WriteWhole(ref writer, parts[0]);
        foreach (var part in parts[1..])
        {
            if (areFresh)
            {
                writer.Number(part.Queue);
                writer.Number(part.Message.Sequence);
                writer.Number(part.Message.AvailableAtMs);
                writer.Number(part.Message.Details?.KnownUntilMs ?? 0);
            }
            else
            {
                writer.Number(0);
                WriteWhole(ref writer, part);
            }
        }

        writer.Bytes(body);
    }

    /// <exception cref="InvalidDataException">The payload is not such a record.</exception>
    public static void Read(ReadOnlySpan<byte> payload, List<(StoredMessage Message, long Queue)> messages)
    {
        // The length of the body, which all messages need, is known at the end.
        var bodyLength = BodyLengthOf(payload);
        var reader = new SpanReader(payload);
        var count = reader.Count();
        var first = MessageRecord.Read(reader.Bytes(reader.Count()), out var queue, bodyLength);
        messages.Add((first, queue));
        for (var i = 1; i < count; i++)
        {
            queue = reader.Number();
            if (queue == 0)
            {
                var whole = MessageRecord.Read(reader.Bytes(reader.Count()), out queue, bodyLength);
                messages.Add((whole, queue));
            }
            else
            {
                messages.Add((first.CopyFor(reader.Number(), reader.Number(), reader.Number()), queue));
            }
        }
    }

    private static int BodyLengthOf(ReadOnlySpan<byte> payload)
    {
        var reader = new SpanReader(payload);
        var count = reader.Count();
        if (count == 0)
        {
            throw new InvalidDataException("The record of copies holds no message.");
        }

        _ = reader.Bytes(reader.Count());
        for (var i = 1; i < count; i++)
        {
            if (reader.Number() == 0)
            {
                _ = reader.Bytes(reader.Count());
            }
            else
            {
                _ = (reader.Number(), reader.Number(), reader.Number());
            }
        }

        return reader.Remaining;
    }

    private static int WholeBytesMax(StoredMessage message) =>
        (2 * SpanWriter.NumberBytesMax) + MessageRecord.BytesMax(message) - message.BodyLength;

    /// <summary>
    /// The length stands first and takes as many bytes as it takes, so the message is written behind the most of them and moved.
    /// </summary>
    private static void WriteWhole(ref SpanWriter writer, in MessagePart part)
    {
        var room = writer.Rest[SpanWriter.NumberBytesMax..];
        var message = new SpanWriter(room);
        MessageRecord.Write(ref message, part.Queue, part.Message, body: default);
        writer.Number(message.Written);
        writer.Bytes(room[..message.Written]);
    }
}
