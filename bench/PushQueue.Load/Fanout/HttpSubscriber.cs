using System.Text;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Fanout;

/// <summary>Server-sent events or a plain HTTP stream: one GET whose body does not end.</summary>
internal sealed class HttpSubscriber : Subscriber
{
    private bool _headDone;
    private ChunkedBody? _chunks;

    internal HttpSubscriber(int port, string path, string headers, bool events, DeliveryLedger ledger, bool neverReads)
        : base(port, ledger, neverReads)
    {
        // nchan streams plain HTTP only to a client that says it takes chunks.
        var accept = events ? "Accept: text/event-stream" : "TE: chunked";
        SendBlocking(Encoding.UTF8.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}{accept}\r\n\r\n"));
    }

    protected override int ConsumeFrames(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        if (!_headDone)
        {
            var end = bytes.IndexOf("\r\n\r\n"u8);
            if (end < 0)
            {
                return 0;
            }

            if (HttpAnswer.StatusOf(bytes) != 200)
            {
                throw new LoadException($"the stream was refused: {Encoding.UTF8.GetString(bytes[..end]).Split('\r')[0]}");
            }

            at = end + 4;
            _headDone = true;
            _chunks = HttpAnswer.IsChunked(bytes[..at]) ? new ChunkedBody(Scanner) : null;
        }

        if (_chunks is null)
        {
            Scanner.Scan(bytes[at..]);
            return bytes.Length;
        }

        at += _chunks.Consume(bytes[at..]);
        Reason = _chunks.Ended ? "the stream ended" : Reason;
        return at;
    }
}
