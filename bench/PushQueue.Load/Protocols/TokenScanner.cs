namespace PushQueue.Load.Protocols;

internal interface ITokenSink
{
    void OnToken(long sequence, long sentAt);
}

/// <summary>
/// Finds tokens in a stream of bytes that arrives in pieces of any size. A token cut by the end of a piece (a read, a frame, a chunk)
/// is kept in a small buffer and finished by the next one.
/// </summary>
internal sealed class TokenScanner(ITokenSink sink)
{
    private readonly byte[] _held = new byte[Token.BytesMax];
    private int _heldCount;

    internal void Scan(ReadOnlySpan<byte> piece)
    {
        if (_heldCount > 0)
        {
            piece = piece[FinishHeld(piece)..];
        }

        while (true)
        {
            var start = piece.IndexOf("@@"u8);
            if (start < 0)
            {
                // The first half of a mark may be this piece's last byte.
                if (_heldCount == 0 && !piece.IsEmpty && piece[^1] == (byte)'@')
                {
                    Hold(piece[^1..]);
                }

                return;
            }

            piece = piece[start..];
            var outcome = Token.TryRead(piece, out var sequence, out var sentAt, out var length);
            if (outcome == Token.Outcome.Complete)
            {
                sink.OnToken(sequence, sentAt);
                piece = piece[length..];
            }
            else if (outcome == Token.Outcome.NotAToken)
            {
                piece = piece[1..];
            }
            else
            {
                Hold(piece);
                return;
            }
        }
    }

    /// <summary>Returns how many bytes of <paramref name="piece"/> belonged to the token that was held.</summary>
    private int FinishHeld(ReadOnlySpan<byte> piece)
    {
        var before = _heldCount;
        var more = Math.Min(piece.Length, _held.Length - before);
        piece[..more].CopyTo(_held.AsSpan(before));
        var outcome = Token.TryRead(_held.AsSpan(0, before + more), out var sequence, out var sentAt, out var length);
        if (outcome == Token.Outcome.Incomplete)
        {
            _heldCount = before + more;
            return more;
        }

        _heldCount = 0;
        if (outcome == Token.Outcome.NotAToken)
        {
            return 0;
        }

        sink.OnToken(sequence, sentAt);
        return length - before;
    }

    private void Hold(ReadOnlySpan<byte> start)
    {
        start.CopyTo(_held);
        _heldCount = start.Length;
    }
}
