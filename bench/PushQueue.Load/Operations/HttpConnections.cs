using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using PushQueue.Load.Measuring;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Operations;

/// <summary>The common part of the HTTP operations: answers come one after another, in the order of the requests.</summary>
internal abstract class HttpOperationConnection(OperationOptions options, WorkLedger work) : OperationConnection(options, work)
{
    protected sealed override int Consume(ReadOnlySpan<byte> bytes)
    {
        var done = 0;
        while (Awaited > 0 && HttpAnswer.TryRead(bytes[done..], out var answer, out var length))
        {
            done += length;
            Awaited--;
            OnAnswer(answer);
            if (Awaited == 0)
            {
                OnAllAnswered();
            }
        }

        return done;
    }

    protected abstract void OnAnswer(HttpAnswer answer);

    protected virtual void OnAllAnswered() => WindowDone();

    protected void FailUnlessSucceeded(HttpAnswer answer)
    {
        if (!answer.Succeeded)
        {
            Fail(answer);
        }
    }

    protected void Fail(HttpAnswer answer) =>
        Work.Fail(Encoding.UTF8.GetBytes($"HTTP {answer.Status} {Encoding.UTF8.GetString(answer.Body)}"));
}

/// <summary>One message a POST.</summary>
internal sealed class HttpPut(OperationOptions options, WorkLedger work) : HttpOperationConnection(options, work)
{
    private readonly byte[] _head = Encoding.UTF8.GetBytes($"POST {options.HttpPath} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + $"Content-Type: {options.ContentType}\r\n{options.Headers}"
        + $"Content-Length: {options.BodyStart.Length + options.Size}\r\n\r\n{options.BodyStart}");

    protected override void WriteRequests(int first, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Write(_head);
            Token.WriteBody(Reserve(Options.Size), first + i, Clock.Now);
        }
    }

    protected override void OnAnswer(HttpAnswer answer) => FailUnlessSucceeded(answer);
}

/// <summary>One message a GET; 204 means that a message is missing.</summary>
internal sealed class HttpTake(OperationOptions options, WorkLedger work) : HttpOperationConnection(options, work)
{
    private readonly byte[] _request = Encoding.UTF8.GetBytes(
        $"GET {options.HttpPath} HTTP/1.1\r\nHost: 127.0.0.1\r\n{options.Headers}\r\n");

    protected override void WriteRequests(int first, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Write(_request);
        }
    }

    protected override void OnAnswer(HttpAnswer answer)
    {
        if (answer.Status == 200)
        {
            Work.Return(answer.Body);
        }
        else
        {
            Fail(answer);
        }
    }
}

/// <summary>Many messages a POST, as NDJSON: one JSON string a line, or an envelope with a key.</summary>
internal sealed class HttpBatch(OperationOptions options, WorkLedger work) : HttpOperationConnection(options, work)
{
    private const string KeyFormat = "D7";

    private readonly string _path = $"{options.HttpPath}/batch{(options.Keys > 0 ? "?envelope=true" : "")}";
    private readonly byte[] _lineStart = Encoding.UTF8.GetBytes(
        options.Keys > 0 ? $"{{\"key\":\"{0.ToString(KeyFormat, CultureInfo.InvariantCulture)}\",\"body\":\"" : "\"");
    private readonly byte[] _lineEnd = Encoding.UTF8.GetBytes(options.Keys > 0 ? "\"}\n" : "\"\n");

    protected override void WriteRequests(int first, int count)
    {
        var lineBytes = _lineStart.Length + Options.Size + _lineEnd.Length;
        Write(Encoding.UTF8.GetBytes($"POST {_path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
            + $"{Options.Headers}Content-Length: {lineBytes * count}\r\n\r\n"));
        for (var i = 0; i < count; i++)
        {
            var line = Reserve(lineBytes);
            _lineStart.CopyTo(line);
            if (Options.Keys > 0)
            {
                _ = Utf8Formatter.TryFormat((first + i) % Options.Keys, line["{\"key\":\"".Length..], out _, new StandardFormat('D', 7));
            }

            Token.WriteBody(line.Slice(_lineStart.Length, Options.Size), first + i, Clock.Now);
            _lineEnd.CopyTo(line[^_lineEnd.Length..]);
        }

        Awaited = 1;
    }

    protected override void OnAnswer(HttpAnswer answer) => FailUnlessSucceeded(answer);
}

/// <summary>A lease by GET, then its ack by POST: one operation, two requests.</summary>
internal sealed class HttpLeaseAck(OperationOptions options, WorkLedger work) : HttpOperationConnection(options, work)
{
    private readonly byte[] _lease = Encoding.UTF8.GetBytes(
        $"GET {options.HttpPath}?ttr=60 HTTP/1.1\r\nHost: 127.0.0.1\r\n{options.Headers}\r\n");
    private readonly byte[] _ackStart = Encoding.UTF8.GetBytes($"POST {options.HttpPath}/messages/");
    private readonly byte[] _ackEnd = Encoding.UTF8.GetBytes($" HTTP/1.1\r\nHost: 127.0.0.1\r\n{options.Headers}Content-Length: 0\r\n\r\n");
    private bool _acking;
    private int _leased;

    protected override void WriteRequests(int first, int count)
    {
        _acking = false;
        _leased = 0;
        for (var i = 0; i < count; i++)
        {
            Write(_lease);
        }
    }

    protected override void OnAnswer(HttpAnswer answer)
    {
        if (_acking)
        {
            FailUnlessSucceeded(answer);
            return;
        }

        var id = HttpAnswer.Header(answer.Head, "pushqueue-id:"u8);
        var receipt = HttpAnswer.Header(answer.Head, "pushqueue-receipt:"u8);
        if (answer.Status != 200 || receipt.IsEmpty)
        {
            Fail(answer);
            return;
        }

        Work.Return(answer.Body);
        Write(_ackStart);
        Write(id);
        Write("/ack?receipt="u8);
        Write(receipt);
        Write(_ackEnd);
        _leased++;
    }

    protected override void OnAllAnswered()
    {
        if (_acking || _leased == 0)
        {
            WindowDone();
            return;
        }

        _acking = true;
        Awaited = _leased;
        SendOutput();
    }
}
