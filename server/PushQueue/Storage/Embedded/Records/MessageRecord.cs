using PushQueue.Queues;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// Payload of <see cref="RecordType.Message"/>: flags, queue, sequence, times, priority, content type, then only the fields that the
/// flags
/// name, then the body up to the end.
/// </summary>
internal static class MessageRecord
{
    [Flags]
    private enum Fields : ushort
    {
        None = 0,
        ClientId = 1,
        ExpiresAt = 1 << 1,
        UniqueKey = 1 << 2,
        MaxAttempts = 1 << 3,
        RetryDelay = 1 << 4,
        Attempts = 1 << 5,
        LastError = 1 << 6,
        LastWorker = 1 << 7,
        DeadLetter = 1 << 8,
        Delayed = 1 << 9,
        Lease = 1 << 10,
        Offset = 1 << 11,
        KnownUntil = 1 << 12,
        Looks = 1 << 13,
        CallerLease = 1 << 14,

        /// <summary>A number follows that names further fields: <see cref="MoreFields"/>.</summary>
        More = 1 << 15,
    }

    /// <summary>Fields that the sixteen bits have no room for. A new field takes the next bit and stands behind those before
    /// it.</summary>
    [Flags]
    private enum MoreFields
    {
        None = 0,
        TraceParent = 1,
        Key = 1 << 1,
        Headers = 1 << 2,

        /// <summary>The place in its key of a message that was given back with a delay.</summary>
        Place = 1 << 3,

        /// <summary>Nothing follows: the message is kept as the newest of its key.</summary>
        Kept = 1 << 4,
    }

    private const int FixedBytesMax = sizeof(ushort) + (5 * SpanWriter.NumberBytesMax) + 1;

    public static int BytesMax(StoredMessage message)
    {
        var bytes = FixedBytesMax
            + SpanWriter.StringBytesMax(message.ContentType)
            + SpanWriter.StringBytesMax(message.ClientId)
            + (3 * SpanWriter.NumberBytesMax)
            + message.BodyLength;
        if (message.Key is { } key)
        {
            bytes += SpanWriter.StringBytesMax(key) + (2 * SpanWriter.NumberBytesMax);
        }

        if (message.Headers is { } headers)
        {
            bytes += headers.Packed.Length + (2 * SpanWriter.NumberBytesMax);
        }

        if (message.Details is { } details)
        {
            bytes += SpanWriter.StringBytesMax(details.UniqueKey)
                + SpanWriter.StringBytesMax(details.LastError)
                + SpanWriter.StringBytesMax(details.LastWorker)
                + SpanWriter.StringBytesMax(details.DeadLetter?.Source.Value)
                + SpanWriter.StringBytesMax(details.DeadLetter?.Reason)
                + SpanWriter.StringBytesMax(details.TraceParent)
                + (9 * SpanWriter.NumberBytesMax);
        }

        return message.Lease is { } lease ? bytes + SpanWriter.StringBytesMax(lease.Worker ?? "") + 20 + SpanWriter.NumberBytesMax : bytes;
    }

    public static void Write(ref SpanWriter writer, long queue, StoredMessage message, ReadOnlySpan<byte> body)
    {
        var fields = FieldsOf(message);
        writer.UInt16((ushort)fields);
        writer.Number(queue);
        writer.Number(message.Sequence);
        writer.Number(message.EnqueuedAtMs);
        writer.Number(message.AvailableAtMs);
        writer.Byte(message.Priority);
        ContentTypes.Write(ref writer, message.ContentType);
        WriteOptional(ref writer, fields, message);
        if (message.Details is { } details)
        {
            WriteDetails(ref writer, fields, details);
        }

        if (fields.HasFlag(Fields.More))
        {
            WriteMore(ref writer, message);
        }

        writer.Bytes(body);
    }

    /// <summary>Reads a message back; its place tells what it was when it was written.</summary>
    /// <param name="payload">The record's payload.</param>
    /// <param name="queue">The queue's number.</param>
    /// <param name="bodyLength">Bytes of the body where it stands elsewhere; null where it is the rest of the payload.</param>
    /// <exception cref="InvalidDataException">The payload is not a message.</exception>
    public static StoredMessage Read(ReadOnlySpan<byte> payload, out long queue, int? bodyLength = null)
    {
        var reader = new SpanReader(payload);
        var fields = (Fields)reader.UInt16();
        queue = reader.Number();
        var sequence = reader.Number();
        var enqueuedAt = reader.Number();
        var availableAt = reader.Number();
        var priority = reader.Byte();
        var contentType = ContentTypes.Read(ref reader);
        var clientId = fields.HasFlag(Fields.ClientId) ? reader.Text() : null;
        var expiresAt = fields.HasFlag(Fields.ExpiresAt) ? reader.Number() : 0;
        var attempts = fields.HasFlag(Fields.Attempts) ? (int)reader.Number() : 0;
        if (expiresAt > 0 && expiresAt <= availableAt && fields.HasFlag(Fields.Delayed))
        {
            // In records of earlier versions the time to live counts from the put.
            expiresAt += availableAt - enqueuedAt;
        }

        var offset = fields.HasFlag(Fields.Offset) ? reader.Number() : 0;
        var lease = fields.HasFlag(Fields.Lease) ? ReadLease(ref reader, fields.HasFlag(Fields.CallerLease)) : null;
        var tags = (fields & DetailFields) != Fields.None ? ReadDetails(ref reader, fields) : default(MessageTags);
        var isKept = false;
        string? key = null;
        if (fields.HasFlag(Fields.More))
        {
            tags = ReadMore(ref reader, tags as MessageDetails, out key, out isKept);
        }

        var message = new StoredMessage
        {
            Sequence = sequence,
            ClientId = clientId,
            ContentType = contentType,
            EnqueuedAtMs = enqueuedAt,
            AvailableAtMs = availableAt,
            ExpiresAtMs = expiresAt,
            Priority = priority,
            Attempts = attempts,
            Offset = offset,
            Lease = lease,
            Tags = tags,
            BodyLength = bodyLength ?? reader.Remaining,
            Place = isKept ? MessagePlace.Kept : PlaceOf(fields),
        };
        return key is null ? message : new KeyedMessage(message, new MessageKey(key));
    }

    private const Fields DetailFields = Fields.UniqueKey | Fields.MaxAttempts | Fields.RetryDelay | Fields.LastError | Fields.LastWorker
        | Fields.DeadLetter | Fields.KnownUntil | Fields.Looks;

    private static MessagePlace PlaceOf(Fields fields)
    {
        if (fields.HasFlag(Fields.Offset))
        {
            return MessagePlace.History;
        }

        if (fields.HasFlag(Fields.Lease))
        {
            return MessagePlace.Leased;
        }

        return fields.HasFlag(Fields.Delayed) ? MessagePlace.Delayed : MessagePlace.Ready;
    }

    private static Fields FieldsOf(StoredMessage message)
    {
        var fields = Fields.None;
        fields |= message.ClientId is null ? Fields.None : Fields.ClientId;
        fields |= message.ExpiresAtMs == 0 ? Fields.None : Fields.ExpiresAt;
        fields |= message.Attempts == 0 ? Fields.None : Fields.Attempts;
        fields |= message.Offset == 0 ? Fields.None : Fields.Offset;
        fields |= message.Lease is null or { Delivery: true } ? Fields.None : Fields.Lease;
        var isDelayed = message.Place == MessagePlace.Delayed || (message.Place == MessagePlace.Pending && message.BecomesDelayed);
        fields |= isDelayed ? Fields.Delayed : Fields.None;
        fields |= message.Lease is { Delivery: false, CallerUntilMs: > 0 } ? Fields.CallerLease : Fields.None;
        if (message.Details is { } details)
        {
            fields |= details.UniqueKey is null ? Fields.None : Fields.UniqueKey;
            fields |= details.MaxAttempts is null ? Fields.None : Fields.MaxAttempts;
            fields |= details.RetryDelay is null ? Fields.None : Fields.RetryDelay;
            fields |= details.LastError is null ? Fields.None : Fields.LastError;
            fields |= details.LastWorker is null ? Fields.None : Fields.LastWorker;
            fields |= details.DeadLetter is null ? Fields.None : Fields.DeadLetter;
            fields |= details.KnownUntilMs == 0 ? Fields.None : Fields.KnownUntil;
            fields |= details.Looks == 0 ? Fields.None : Fields.Looks;
        }

        return MoreFieldsOf(message) == MoreFields.None ? fields : fields | Fields.More;
    }

    private static MoreFields MoreFieldsOf(StoredMessage message)
    {
        var more = message.Details?.TraceParent is null ? MoreFields.None : MoreFields.TraceParent;
        more |= message.Key is null ? MoreFields.None : MoreFields.Key;
        more |= message.Headers is null ? MoreFields.None : MoreFields.Headers;
        more |= message.Details is { PlaceMs: > 0 } ? MoreFields.Place : MoreFields.None;
        return message.Place == MessagePlace.Kept ? more | MoreFields.Kept : more;
    }

    private static void WriteOptional(ref SpanWriter writer, Fields fields, StoredMessage message)
    {
        if (fields.HasFlag(Fields.ClientId))
        {
            writer.Text(message.ClientId!);
        }

        if (fields.HasFlag(Fields.ExpiresAt))
        {
            writer.Number(message.ExpiresAtMs);
        }

        if (fields.HasFlag(Fields.Attempts))
        {
            writer.Number(message.Attempts);
        }

        if (fields.HasFlag(Fields.Offset))
        {
            writer.Number(message.Offset);
        }

        if (fields.HasFlag(Fields.Lease))
        {
            writer.UInt64(message.Lease!.Receipt.Value);
            writer.Number(message.Lease.UntilMs);
            writer.Text(message.Lease.Worker ?? "");
        }

        if (fields.HasFlag(Fields.CallerLease))
        {
            writer.Number(message.Lease!.CallerUntilMs);
        }
    }

    private static LeaseDetails ReadLease(ref SpanReader reader, bool byCaller)
    {
        var receipt = new Receipt(reader.UInt64());
        var until = reader.Number();
        var worker = reader.Text();
        return new LeaseDetails(receipt, until, worker.Length == 0 ? null : worker, Delivery: false, byCaller ? reader.Number() : 0);
    }

    private static void WriteDetails(ref SpanWriter writer, Fields fields, MessageDetails details)
    {
        if (fields.HasFlag(Fields.UniqueKey))
        {
            writer.Text(details.UniqueKey!);
        }

        if (fields.HasFlag(Fields.MaxAttempts))
        {
            writer.Number(details.MaxAttempts!.Value);
        }

        if (fields.HasFlag(Fields.RetryDelay))
        {
            writer.Number(details.RetryDelay!.First.Ticks);
            writer.Number(details.RetryDelay.Last.Ticks);
        }

        if (fields.HasFlag(Fields.LastError))
        {
            writer.Text(details.LastError!);
        }

        if (fields.HasFlag(Fields.LastWorker))
        {
            writer.Text(details.LastWorker!);
        }

        if (fields.HasFlag(Fields.DeadLetter))
        {
            writer.Text(details.DeadLetter!.Source.Value);
            writer.Text(details.DeadLetter.Reason);
            writer.Number(details.DeadLetter.Attempts);
            writer.Number(details.DeadLetter.At.ToUnixTimeMilliseconds());
        }

        if (fields.HasFlag(Fields.KnownUntil))
        {
            writer.Number(details.KnownUntilMs);
        }

        if (fields.HasFlag(Fields.Looks))
        {
            writer.Number(details.Looks);
        }
    }

    private static void WriteMore(ref SpanWriter writer, StoredMessage message)
    {
        var more = MoreFieldsOf(message);
        writer.Number((long)more);
        if (more.HasFlag(MoreFields.TraceParent))
        {
            writer.Text(message.Details!.TraceParent!);
        }

        if (more.HasFlag(MoreFields.Key))
        {
            writer.Text(message.Key!);
        }

        if (more.HasFlag(MoreFields.Headers))
        {
            writer.Number(message.Headers!.Packed.Length);
            writer.Bytes(message.Headers.Packed);
        }

        if (more.HasFlag(MoreFields.Place))
        {
            writer.Number(message.Details!.PlaceMs);
        }
    }

    /// <summary>Reads the further fields; a message that has nothing but key and headers gets no <see cref="MessageDetails"/>.</summary>
    private static MessageTags? ReadMore(ref SpanReader reader, MessageDetails? details, out string? key, out bool isKept)
    {
        var more = (MoreFields)reader.Number();
        isKept = more.HasFlag(MoreFields.Kept);
        if (more.HasFlag(MoreFields.TraceParent))
        {
            details ??= new MessageDetails();
            details.TraceParent = reader.Text();
        }

        key = more.HasFlag(MoreFields.Key) ? reader.Text() : null;
        var headers = more.HasFlag(MoreFields.Headers) ? MessageHeaders.FromPacked(reader.Bytes(reader.Count())) : null;
        if (more.HasFlag(MoreFields.Place))
        {
            details ??= new MessageDetails();
            details.PlaceMs = reader.Number();
        }

        if (details is null)
        {
            return headers is null ? null : new MessageTags { Headers = headers };
        }

        details.Headers = headers;
        return details;
    }

    private static MessageDetails ReadDetails(ref SpanReader reader, Fields fields)
    {
        var details = new MessageDetails
        {
            UniqueKey = fields.HasFlag(Fields.UniqueKey) ? reader.Text() : null,
            MaxAttempts = fields.HasFlag(Fields.MaxAttempts) ? (int)reader.Number() : null,
            RetryDelay = fields.HasFlag(Fields.RetryDelay)
                ? new RetryDelay(TimeSpan.FromTicks(reader.Number()), TimeSpan.FromTicks(reader.Number()))
                : null,
            LastError = fields.HasFlag(Fields.LastError) ? reader.Text() : null,
            LastWorker = fields.HasFlag(Fields.LastWorker) ? reader.Text() : null,
        };
        if (fields.HasFlag(Fields.DeadLetter))
        {
            var source = QueueName.Parse(reader.Text());
            var reason = reader.Text();
            var attempts = (int)reader.Number();
            details.DeadLetter = new DeadLetter(source, reason, attempts, DateTimeOffset.FromUnixTimeMilliseconds(reader.Number()));
        }

        details.KnownUntilMs = fields.HasFlag(Fields.KnownUntil) ? reader.Number() : 0;
        details.Looks = fields.HasFlag(Fields.Looks) ? (int)reader.Number() : 0;
        return details;
    }
}
