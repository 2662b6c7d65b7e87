using System.Buffers.Text;
using PushQueue.Load.Measuring;
using PushQueue.Load.Net;

namespace PushQueue.Load.Operations;

/// <summary>
/// A connection that claims a window of operations, sends their requests in one write, waits for every answer, and claims again until
/// none are left. Subclasses know one protocol and one operation.
/// </summary>
internal abstract class OperationConnection(OperationOptions options, WorkLedger work) : Connection(options.Port)
{
    private byte[] _output = new byte[64 * 1024];
    private int _outputCount;
    private long _startedAt;
    private int _window;

    internal LatencyHistogram Latencies { get; } = new();

    internal bool Finished { get; private set; }

    protected OperationOptions Options => options;

    protected WorkLedger Work => work;

    /// <summary>Answers still to come before the next window.</summary>
    protected int Awaited { get; set; }

    internal void Next()
    {
        _window = work.Claim(options.Window, out var first);
        if (_window == 0)
        {
            if (!BeforeFinish())
            {
                Finished = true;
            }

            return;
        }

        Awaited = _window;
        _startedAt = Clock.Now;
        WriteRequests(first, _window);
        SendOutput();
    }

    protected abstract void WriteRequests(int first, int count);

    /// <summary>True where something must still be sent and answered; then the subclass calls <see cref="Finish"/>.</summary>
    protected virtual bool BeforeFinish() => false;

    protected void Finish() => Finished = true;

    /// <summary>Call when every answer of the window has come.</summary>
    protected void WindowDone()
    {
        Latencies.Add(Clock.Now - _startedAt);
        work.Complete(_window);
        Next();
    }

    protected override void OnClosed()
    {
        if (!Finished)
        {
            work.Fail("the server closed the connection"u8);
            Finished = true;
        }
    }

    protected void SendOutput()
    {
        Send(_output.AsSpan(0, _outputCount));
        _outputCount = 0;
    }

    protected void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    protected void Write(long number)
    {
        Utf8Formatter.TryFormat(number, Reserve(20), out var written);
        _outputCount -= 20 - written;
    }

    /// <summary>Room at the end of the output, to be filled by the caller.</summary>
    protected Span<byte> Reserve(int count)
    {
        if (_output.Length - _outputCount < count)
        {
            Array.Resize(ref _output, Math.Max(_output.Length * 2, _outputCount + count));
        }

        _outputCount += count;
        return _output.AsSpan(_outputCount - count, count);
    }
}
