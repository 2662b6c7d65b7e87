using System.Buffers.Text;

namespace PushQueue.Load.Protocols;

/// <summary>
/// Takes the chunk sizes out of an endless HTTP body, so that a message a server cut into two chunks is still seen as one. Feeds every
/// piece of data to the scanner as it arrives; waits only for size lines.
/// </summary>
internal sealed class ChunkedBody(TokenScanner scanner)
{
    private int _left;
    private bool _dataEnds;

    /// <summary>The last chunk has come: the server ended the stream.</summary>
    internal bool Ended { get; private set; }

    internal int Consume(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (!Ended)
        {
            if (_left > 0)
            {
                var now = Math.Min(_left, bytes.Length - at);
                scanner.Scan(bytes.Slice(at, now));
                at += now;
                _left -= now;
                _dataEnds = _left == 0;
            }

            // After the data comes an end of line, then the next size.
            var skip = _dataEnds ? 2 : 0;
            var line = bytes.Length - at > skip ? bytes[(at + skip)..].IndexOf("\r\n"u8) : -1;
            if (_left > 0 || line < 0)
            {
                return at;
            }

            if (!Utf8Parser.TryParse(bytes.Slice(at + skip, line), out _left, out _, 'X'))
            {
                throw new LoadException("a chunked body without a chunk size");
            }

            at += skip + line + 2;
            _dataEnds = false;
            Ended = _left == 0;
        }

        return bytes.Length;
    }
}
