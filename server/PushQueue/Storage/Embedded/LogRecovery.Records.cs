using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>The effect of each kind of record on the queues being recovered.</summary>
internal sealed partial class LogRecovery
{
    private void ReadMessage(SegmentScanner scanner, Segment segment)
    {
        segment.Messages++;
        var message = MessageRecord.Read(scanner.Payload, out var queue);
        Read(message, queue, record: null, segment, scanner.RecordOffset, scanner.RecordLength);
        EndOfRecord(segment);
    }

    /// <summary>A message and its copies in other queues, which may be gone by now.</summary>
    private void ReadCopies(SegmentScanner scanner, Segment segment)
    {
        _copies.Clear();
        CopiesRecord.Read(scanner.Payload, _copies);
        segment.Messages += _copies.Count;
        var record = new SharedRecord { Segment = segment };
        foreach (var (message, queue) in _copies)
        {
            Read(message, queue, record, segment, scanner.RecordOffset, scanner.RecordLength);
        }

        EndOfRecord(segment);
    }

    private void Read(StoredMessage message, long queue, SharedRecord? record, Segment segment, long offset, int length)
    {
        if (_inBatch)
        {
            _batch.Add((message, queue, record, offset, length));
        }
        else if (record is null)
        {
            QueueOf(queue)?.ReadMessage(message, segment, offset, length);
        }
        else
        {
            QueueOf(queue)?.ReadCopy(message, record, offset, length);
        }
    }

    private void EndOfRecord(Segment segment)
    {
        if (_inBatch && ++_batchRead == _batchCount)
        {
            // Whole. Were the end waited for, damage there would draw what follows into the batch.
            ApplyBatch(segment);
        }
    }

    /// <summary>
    /// The queue of that number. One that is not known yet gets its name from a snapshot to come (the segment that first named it may be
    /// gone), or keeps the name of a found one. Null for one that was deleted.
    /// </summary>
    private QueueReplay? QueueOf(long number)
    {
        if (_queues.TryGetValue(number, out var queue) || _forgotten.Contains(number))
        {
            return queue;
        }

        queue = new QueueReplay(_services, number, NameOfFound(number));
        _queues.Add(number, queue);
        _nameless.Add(number);
        NextQueueNumber = Math.Max(NextQueueNumber, number + 1);
        return queue;
    }

    private static QueueName NameOfFound(long number) =>
        QueueName.Parse(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"found.{number}"));

    private void BeginBatch(ref SpanReader reader, long offset)
    {
        var count = reader.Number();
        _batchEarlier = reader.Remaining > 0 ? (reader.Number(), reader.Number(), reader.Number(), reader.Number()) : default;
        _batchOffset = offset;
        _batchCount = count;
        _batchRead = 0;
        _batchDamaged = false;
        _inBatch = count > 0;
    }

    private void ReadBatchEnd(long count, Segment segment)
    {
        if (!_inBatch)
        {
            return;
        }

        // Fewer messages than were announced, but the end was written: all of them were, and may have been answered.
        var read = _batchRead;
        var announced = _batchCount;
        var damaged = _batchDamaged;
        ApplyBatch(segment);
        if (!damaged || announced != count)
        {
            throw new InvalidDataException($"A batch of {announced} messages ends after {read} as one of {count}.");
        }
    }

    /// <summary>
    /// The batch got no further. Where damage took a part of it, the rest may have been answered and counts; without damage it was never
    /// written to its end, so nobody got an answer to it.
    /// </summary>
    private void LeaveBatch(Segment segment)
    {
        if (_batchDamaged)
        {
            ApplyBatch(segment);
        }

        _inBatch = false;
        _batch.Clear();
    }

    private void ApplyBatch(Segment segment)
    {
        _inBatch = false;
        foreach (var (message, queue, record, offset, length) in _batch)
        {
            Read(message, queue, record, segment, offset, length);
        }

        if (_queues.TryGetValue(_batchEarlier.Queue, out var copied))
        {
            copied.ReadEarlier(_batchEarlier.Source, _batchEarlier.Offset, _batchEarlier.Sequence);
        }

        _batchEarlier = default;

        _batch.Clear();
    }

    private void ReadRemoved(ref SpanReader reader, Segment segment)
    {
        var queue = _queues.GetValueOrDefault(reader.Number());
        for (var count = reader.Number(); count > 0; count--)
        {
            var sequence = reader.Number();
            queue?.ReadRemoval(sequence, segment);
        }
    }

    private void ReadLeased(ref SpanReader reader, Segment segment)
    {
        var queue = _queues.GetValueOrDefault(reader.Number());
        var until = reader.Number();
        var worker = reader.Text();
        var leases = new (long Sequence, Receipt Receipt, int Attempts)[reader.Count()];
        for (var i = 0; i < leases.Length; i++)
        {
            leases[i] = (reader.Number(), new Receipt(reader.UInt64()), (int)reader.Number());
        }

        var callerUntil = reader.Remaining > 0 ? reader.Number() : 0;
        foreach (var (sequence, receipt, attempts) in leases)
        {
            var lease = new LeaseDetails(receipt, until, worker.Length == 0 ? null : worker, Delivery: false, callerUntil);
            queue?.ReadLease(sequence, lease, attempts, segment);
        }
    }

    private void ReadChanged(ref SpanReader reader, Segment segment)
    {
        ChangeRecord.ReadKey(ref reader, out var number, out var sequence);
        if (_queues.GetValueOrDefault(number)?.Find(sequence, segment) is { } message)
        {
            ChangeRecord.Apply(ref reader, message);
        }
    }

    private void ReadBroadcast(ref SpanReader reader, Segment segment)
    {
        var queue = _queues.GetValueOrDefault(reader.Number());
        var atMs = reader.Number();
        var offset = reader.Number();
        for (var count = reader.Number(); count > 0; count--)
        {
            var sequence = reader.Number();
            queue?.ReadBroadcast(sequence, offset, atMs, segment);
            offset++;
        }
    }

    private void ReadMoved(ref SpanReader reader, Segment segment)
    {
        var from = _queues.GetValueOrDefault(reader.Number());
        var sequence = reader.Number();
        var bodyLength = (int)reader.Number();
        var arrived = MessageRecord.Read(reader.Rest(), out var number, bodyLength);
        if (from is not null && QueueOf(number) is { } target)
        {
            from.ReadMove(sequence, target, arrived, segment);
        }
    }

    private void ReadEarlier(ref SpanReader reader)
    {
        var queue = _queues.GetValueOrDefault(reader.Number());
        var source = reader.Number();
        var ended = reader.Number() != 0;
        var (bound, beganAtMs) = (reader.Number(), reader.Number());
        if (ended)
        {
            queue?.EndEarlier(source);
        }
        else
        {
            queue?.BeginEarlier(source, bound, beganAtMs, reader.Number(), reader.Number());
        }
    }

    private void ReadQueueState(QueueStateRecord state)
    {
        _mentioned.Add(state.Number);
        if (!_queues.TryGetValue(state.Number, out var queue))
        {
            queue = new QueueReplay(_services, state.Number, state.Name);
            _queues.Add(state.Number, queue);
            NextQueueNumber = Math.Max(NextQueueNumber, state.Number + 1);
        }

        _nameless.Remove(state.Number);
        queue.ReadState(state);
    }

    private void ReadKnownId(ref SpanReader reader, Segment segment)
    {
        var queue = QueueOf(reader.Number());
        var untilMs = reader.Number();
        queue?.ReadKnownId(reader.Text(), untilMs, segment);
    }

    private void ReadSnapshotStart(ref SpanReader reader, Segment segment)
    {
        NextQueueNumber = Math.Max(NextQueueNumber, reader.Number());
        _links.ReadSnapshot(ref reader, segment.Number);
        _mentioned.Clear();
        _inSnapshot = true;
    }

    /// <summary>
    /// A queue that a whole snapshot does not mention was deleted. One whose start went with an older segment, or that was damaged, proves
    /// nothing.
    /// </summary>
    private void EndSnapshot()
    {
        if (!_inSnapshot)
        {
            return;
        }

        _inSnapshot = false;
        _firstAfterSnapshot = _links.SnapshotStartedIn;
        foreach (var number in _queues.Keys.Except(_mentioned).ToList())
        {
            Forget(number);
        }
    }

    private void Forget(long number)
    {
        _forgotten.Add(number);
        _nameless.Remove(number);
        if (_queues.Remove(number, out var queue))
        {
            queue.Discard();
        }
    }
}
