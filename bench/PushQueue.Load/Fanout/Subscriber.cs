using PushQueue.Load.Net;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Fanout;

/// <summary>One connection that receives pushes. Received bytes go to the scanner; the subclass knows the framing.</summary>
internal abstract class Subscriber : Connection, ITokenSink
{
    private readonly DeliveryLedger _ledger;
    private readonly ulong[] _seen;
    private long _last = -1;

    /// <param name="port">The server's.</param>
    /// <param name="ledger">Of the reader thread that will drive this subscriber.</param>
    /// <param name="neverReads">Gives it the smallest of receive buffers, so that the server notices soon.</param>
    protected Subscriber(int port, DeliveryLedger ledger, bool neverReads)
        : base(port, neverReads ? 4096 : 0)
    {
        _ledger = ledger;
        _seen = new ulong[(ledger.Messages + 63) / 64];
        Scanner = new TokenScanner(this);
    }

    internal long BytesReceived { get; private set; }

    /// <summary>Why the connection ended, where the server said so.</summary>
    internal string? Reason { get; set; }

    protected TokenScanner Scanner { get; }

    public void OnToken(long sequence, long sentAt) => _ledger.Record(_seen, ref _last, sequence, sentAt, Loop?.ReceivedAt ?? 0);

    /// <summary>Keeps the connection alive where the protocol wants the client to say something now and then.</summary>
    internal virtual void KeepAlive()
    {
    }

    protected sealed override int Consume(ReadOnlySpan<byte> bytes)
    {
        var done = ConsumeFrames(bytes);
        BytesReceived += done;
        return done;
    }

    protected abstract int ConsumeFrames(ReadOnlySpan<byte> bytes);
}
