using System.Buffers.Binary;
using System.Text;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The bytes of a message in Redis. The form stands at the head of Scripts/Part.Codec.lua, which reads and writes the same bytes; it may
/// only change together with it, and with the number in the queue's hash.
/// </summary>
internal static class RedisRecord
{
    private const byte HasId = 1;
    private const byte HasUniqueKey = 2;
    private const byte HasMaxAttempts = 4;
    private const byte HasRetryDelay = 8;
    private const byte HasTimeToLive = 16;
    private const byte HasTrace = 32;
    private const byte HasKey = 64;
    private const byte HasHeaders = 128;

    // Flags, length, priority, time of the put.
    private const int FixedBytes = 1 + 4 + 1 + 8;

    public static byte[] Pack(NewMessage message, long nowMs)
    {
        var id = message.Id?.ToString();
        var length = FixedBytes
            + (message.TimeToLive is null ? 0 : 8)
            + (message.MaxAttempts is null ? 0 : 4)
            + (message.RetryDelay is null ? 0 : 16)
            + LengthOf(id) + LengthOf(message.UniqueKey) + LengthOf(message.ContentType) + LengthOf(message.TraceParent)
            + LengthOf(message.Key) + (message.Headers is null ? 0 : 2 + message.Headers.Packed.Length);
        var record = new byte[length + message.Body.Length];
        var writer = new Writer(record.AsSpan(FixedBytes));
        byte flags = 0;
        if (message.TimeToLive is { } ttl)
        {
            flags |= HasTimeToLive;
            writer.Double(nowMs + (long)ttl.TotalMilliseconds);
        }

        if (message.MaxAttempts is { } attempts)
        {
            flags |= HasMaxAttempts;
            writer.UInt32((uint)attempts);
        }

        if (message.RetryDelay is { } delay)
        {
            flags |= HasRetryDelay;
            writer.Double(delay.First.Ticks);
            writer.Double(delay.Last.Ticks);
        }

        if (id is not null)
        {
            flags |= HasId;
            writer.Text(id);
        }

        if (message.UniqueKey is { } uniqueKey)
        {
            flags |= HasUniqueKey;
            writer.Text(uniqueKey);
        }

        if (message.Key is { } key)
        {
            flags |= HasKey;
            writer.Text(key);
        }

        writer.Text(message.ContentType);
        if (message.TraceParent is { } trace)
        {
            flags |= HasTrace;
            writer.Text(trace);
        }

        if (message.Headers is { } headers)
        {
            flags |= HasHeaders;
            writer.Bytes(headers.Packed);
        }

        record[0] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(record.AsSpan(1), (uint)length);
        record[5] = (byte)('0' + message.Priority);
        BinaryPrimitives.WriteDoubleBigEndian(record.AsSpan(6), nowMs);
        message.Body.Span.CopyTo(record.AsSpan(length));
        return record;
    }

    /// <summary>Reads a message as a script gave it out.</summary>
    /// <param name="queue">Its queue.</param>
    /// <param name="record">Its record; the message keeps the array for its body.</param>
    /// <param name="start">Where in the array the record begins.</param>
    /// <param name="given">Its status.</param>
    public static Message Read(QueueName queue, byte[] record, int start, in RedisStatus given)
    {
        var flags = record[start];
        var length = (int)BinaryPrimitives.ReadUInt32BigEndian(record.AsSpan(start + 1));
        var reader = new RedisReader(record.AsSpan(start + 6));
        var put = reader.Time();
        TimeSpan? timeToLive = (flags & HasTimeToLive) != 0 ? reader.Time() - put : null;
        reader.Skip(((flags & HasMaxAttempts) != 0 ? 4 : 0) + ((flags & HasRetryDelay) != 0 ? 16 : 0));
        var id = (flags & HasId) != 0 ? reader.Text() : null;
        var uniqueKey = (flags & HasUniqueKey) != 0 ? reader.Text() : null;
        var key = (flags & HasKey) != 0 ? reader.Text() : null;
        var contentType = reader.ContentType();
        var trace = (flags & HasTrace) != 0 ? reader.Text() : null;
        var headers = (flags & HasHeaders) != 0 ? MessageHeaders.FromPacked(reader.Bytes()) : null;
        var state = given.State;
        return new Message
        {
            Queue = queue,
            Id = id is null ? MessageId.FromNumber(given.Number) : MessageId.Parse(id),
            Body = record.AsMemory(start + length),
            ContentType = contentType,
            State = given.MessageState,
            EnqueuedAt = put,
            AvailableAt = given.AvailableAt,
            ExpiresAt = given.AvailableAt + timeToLive,
            Priority = record[start + 5] - '0',
            Attempt = given.Attempt,
            UniqueKey = uniqueKey,
            Key = key,
            Headers = headers,
            Offset = given.Offset,
            Looks = state.Looks,
            LeasedUntil = state.LeaseEnd,
            LastError = state.LastError,
            LastWorker = state.Worker ?? state.LastWorker,
            DeadLetter = state.DeadLetter,
            TraceParent = trace,
        };
    }

    private static int LengthOf(string? text) => text is null ? 0 : 2 + Encoding.UTF8.GetByteCount(text);

    private ref struct Writer(Span<byte> rest)
    {
        private Span<byte> _rest = rest;

        public void Double(double value)
        {
            BinaryPrimitives.WriteDoubleBigEndian(_rest, value);
            _rest = _rest[8..];
        }

        public void UInt32(uint value)
        {
            BinaryPrimitives.WriteUInt32BigEndian(_rest, value);
            _rest = _rest[4..];
        }

        public void Bytes(ReadOnlySpan<byte> bytes)
        {
            BinaryPrimitives.WriteUInt16BigEndian(_rest, checked((ushort)bytes.Length));
            bytes.CopyTo(_rest[2..]);
            _rest = _rest[(2 + bytes.Length)..];
        }

        public void Text(string text)
        {
            var length = Encoding.UTF8.GetBytes(text, _rest[2..]);
            BinaryPrimitives.WriteUInt16BigEndian(_rest, checked((ushort)length));
            _rest = _rest[(2 + length)..];
        }
    }
}
