using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>The first bytes of a pinned segment as a stream.</summary>
internal sealed class SegmentPart(Segment segment, long length) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => _position = value;
    }

    public override int Read(Span<byte> buffer) =>
        Advance(RandomAccess.Read(segment.Handle, buffer[..Room(buffer.Length)], _position), buffer.Length);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Advance(await RandomAccess.ReadAsync(segment.Handle, buffer[..Room(buffer.Length)], _position, cancellationToken), buffer.Length);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin)
    {
        _position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => _position + offset,
            _ => length + offset,
        };
        return _position;
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException("A part of a segment cannot be changed.");

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A part of a segment cannot be changed.");

    private int Room(int wanted) => (int)Math.Min(wanted, length - _position);

    private int Advance(int read, int wanted)
    {
        if (read == 0 && wanted > 0 && _position < length)
        {
            throw new EndOfStreamException($"{segment.Path} is shorter than the log knows; the disk has lost its end.");
        }

        _position += read;
        return read;
    }
}
