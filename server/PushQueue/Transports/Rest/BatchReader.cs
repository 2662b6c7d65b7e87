using System.Buffers;
using System.IO.Pipelines;

namespace PushQueue.Transports.Rest;

/// <summary>
/// Reads the body of a batch as it arrives. Holds the unread rest of it in one contiguous buffer, which the splitters walk over; the
/// buffer grows only for an element that is longer than it.
/// </summary>
internal sealed class BatchReader(PipeReader body, BatchElements elements, int bytesMax) : IDisposable
{
    private const int FirstBufferBytes = 64 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
    private int _start;
    private int _end;
    private long _total;

    /// <summary>Bytes of the body that have come.</summary>
    public long Total => _total;

    /// <param name="isLines">True for NDJSON, false for a list, null to tell by the first character.</param>
    /// <param name="cancellationToken">Cancelled when the client goes.</param>
    public async ValueTask<Problem?> ReadAllAsync(bool? isLines, CancellationToken cancellationToken)
    {
        IBatchSplitter? splitter = null;
        while (true)
        {
            var (final, problem) = await FillAsync(cancellationToken);
            if (problem is not null)
            {
                return problem;
            }

            splitter ??= Detect(isLines);
            if (splitter is not null)
            {
                problem = splitter.Split(_buffer.AsSpan(_start, _end - _start), final, out var consumed);
                if (problem is not null)
                {
                    return problem;
                }

                _start += consumed;
            }

            if (final)
            {
                return splitter is null ? Problem.BadJson("The body is empty; send a JSON value per line, or a JSON list.") : null;
            }
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    /// <summary>
    /// Reads at least as much again as is still unread, so that an element that arrives in many pieces is scanned a few times, not once
    /// per piece.
    /// </summary>
    private async ValueTask<(bool Final, Problem? Problem)> FillAsync(CancellationToken cancellationToken)
    {
        var enough = _end - _start == 0 ? 1 : _end - _start;
        var filled = 0;
        while (filled < enough)
        {
            var read = await body.ReadAsync(cancellationToken);
            var piece = read.Buffer;
            _total += piece.Length;
            if (_total > bytesMax)
            {
                body.AdvanceTo(piece.Start);
                return (true, new Problem(
                    ProblemType.BatchTooLarge,
                        $"The batch has more than {bytesMax} bytes; send the messages in several requests. Nothing was stored."));
            }

            MakeRoom((int)piece.Length);
            piece.CopyTo(_buffer.AsSpan(_end));
            _end += (int)piece.Length;
            filled += (int)piece.Length;
            body.AdvanceTo(piece.End);
            if (read.IsCompleted)
            {
                return (true, null);
            }
        }

        return (false, null);
    }

    private void MakeRoom(int bytes)
    {
        if (_buffer.Length - _end >= bytes)
        {
            return;
        }

        var unread = _end - _start;
        if (_buffer.Length - unread >= bytes && _start >= unread)
        {
            _buffer.AsSpan(_start, unread).CopyTo(_buffer);
        }
        else
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, unread + bytes));
            _buffer.AsSpan(_start, unread).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        _start = 0;
        _end = unread;
    }

    /// <summary>Which form the body has; null while nothing but space has come.</summary>
    private IBatchSplitter? Detect(bool? isLines)
    {
        var unread = _buffer.AsSpan(_start, _end - _start);
        if (unread.StartsWith("\uFEFF"u8))
        {
            // A byte order mark, as some editors write it.
            _start += 3;
            unread = unread[3..];
        }

        var first = unread.TrimStart(" \t\r\n"u8);
        if (first.IsEmpty)
        {
            return null;
        }

        return isLines ?? first[0] != (byte)'[' ? new LineSplitter(elements) : new ListSplitter(elements);
    }
}
