using System.Buffers.Binary;

namespace PushQueue.Storage.Log;

/// <summary>
/// Reads the records of a segment in order. Behind damage it goes on at the next place where a whole record with a right checksum
/// stands, and
/// says what it skipped.
/// </summary>
/// <param name="segment">The segment.</param>
/// <param name="mayBeTorn">Whether the end may be a write that a crash cut off; only the log's last segment's may.</param>
internal sealed class SegmentScanner(Segment segment, bool mayBeTorn)
{
    private const int WindowBytes = 1024 * 1024;

    private byte[] _window = new byte[WindowBytes];
    private long _windowStart;
    private int _windowLength;
    private long _position;

    /// <summary>Where the last record that <see cref="Next"/> found begins.</summary>
    public long RecordOffset { get; private set; }

    public int RecordLength { get; private set; }

    /// <summary>The last record's type: one of <see cref="LogRecordType"/> or of the log's user.</summary>
    public byte Type { get; private set; }

    /// <summary>Bytes that were skipped before the last record; empty where none were.</summary>
    public (long From, long To) Skipped { get; private set; }

    /// <summary>Where the last whole record ended.</summary>
    public long End { get; private set; }

    public ReadOnlySpan<byte> Payload =>
        _window.AsSpan((int)(RecordOffset - _windowStart) + RecordHeader.Size, RecordLength - RecordHeader.Size);

    public bool Next()
    {
        Skipped = default;
        if (mayBeTorn && IsCutOff(_position))
        {
            return false;
        }

        var from = _position;
        for (var at = from; at + RecordHeader.Size <= segment.Length; at = NextMark(at + 1))
        {
            if (!IsRecord(at, out var length))
            {
                continue;
            }

            if (at > from)
            {
                Skipped = (from, at);
            }

            RecordOffset = at;
            RecordLength = length;
            Type = _window[at - _windowStart + 2];
            _position = at + length;
            End = _position;
            return true;
        }

        return false;
    }

    /// <summary>A sound header whose record passes the end of the file: all behind it is the record's beginning, nothing to search
    /// in.</summary>
    private bool IsCutOff(long at)
    {
        if (at + RecordHeader.Size > segment.Length)
        {
            return true;
        }

        var header = Read(at, RecordHeader.Size);
        return RecordHeader.BeginsRecord(header, SaltAt(at))
            && at + RecordHeader.Size + RecordHeader.PayloadLength(header) > segment.Length;
    }

    private bool MayBeHeader(long at) =>
        SegmentHeader.MayBeginAt(at) && Read(at, RecordHeader.Size)[2] == LogRecordType.SegmentHeader;

    private uint SaltAt(long at) => MayBeHeader(at) ? RecordHeader.FixedSalt : segment.Salt;

    private bool IsRecord(long at, out int length)
    {
        length = 0;
        var salt = SaltAt(at);
        var header = Read(at, RecordHeader.Size);
        if (!RecordHeader.BeginsRecord(header, salt))
        {
            return false;
        }

        var payloadLength = RecordHeader.PayloadLength(header);
        if (at + RecordHeader.Size + payloadLength > segment.Length)
        {
            return false;
        }

        length = RecordHeader.Size + payloadLength;
        return RecordHeader.ChecksumMatches(Read(at, length), salt);
    }

    private long NextMark(long at)
    {
        if (SegmentHeader.MayBeginAt(at))
        {
            return at;
        }

        var copy = at < SegmentHeader.RecordBytes ? SegmentHeader.RecordBytes : segment.Length;
        Span<byte> mark = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(mark, RecordHeader.Mark(segment.Salt));
        while (at + RecordHeader.Size <= segment.Length)
        {
            var bytes = Read(at, (int)Math.Min(WindowBytes / 2, segment.Length - at));
            var index = bytes.IndexOf(mark);
            if (index >= 0)
            {
                return Math.Min(copy, at + index);
            }

            at += bytes.Length - 1;
            if (bytes.Length <= RecordHeader.Size)
            {
                break;
            }
        }

        return Math.Min(copy, segment.Length);
    }

    private ReadOnlySpan<byte> Read(long at, int length)
    {
        if (at < _windowStart || at + length > _windowStart + _windowLength)
        {
            Fill(at, length);
        }

        return _window.AsSpan((int)(at - _windowStart), length);
    }

    private void Fill(long at, int length)
    {
        if (length > _window.Length)
        {
            _window = new byte[length];
        }

        _windowStart = at;
        _windowLength = 0;
        while (_windowLength < length)
        {
            var read = RandomAccess.Read(segment.Handle, _window.AsSpan(_windowLength), at + _windowLength);
            if (read == 0)
            {
                throw new EndOfStreamException($"{segment.Path} became shorter while it was read.");
            }

            _windowLength += read;
        }
    }
}
