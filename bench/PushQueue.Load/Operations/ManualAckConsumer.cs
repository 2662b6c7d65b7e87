using System.Text;
using PushQueue.Load.Net;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Operations;

/// <summary>
/// One WebSocket with <c>ack=manual</c>: takes id and receipt out of each envelope and sends them back, many in a command. Done when
/// every ack command has been answered.
/// </summary>
internal sealed class ManualAckConsumer : Connection
{
    private readonly WorkLedger _work;
    private readonly int _messages;
    private readonly int _acksPerCommand;
    private readonly byte[] _commandStart;
    private byte[] _command = new byte[64 * 1024];
    private int _commandLength;
    private int _acksWaiting;
    private int _unanswered;
    private int _received;

    internal ManualAckConsumer(OperationOptions options, WorkLedger work)
        : base(options.Port)
    {
        _work = work;
        _messages = options.Operations;
        _acksPerCommand = Math.Max(1, options.Window);
        _commandStart = Encoding.UTF8.GetBytes($"{{\"cmd\":\"ack\",\"queue\":\"{options.Queue}\",\"ref\":1,\"items\":[");
        var path = options.Path.Length > 0 ? options.Path : $"/ws/{Uri.EscapeDataString(options.Queue)}";
        SendBlocking(WebSocketFrames.Handshake($"{path}?ack=manual&ttr=60&prefetch={options.Prefetch}", options.Headers));
        var answer = ReadThrough("\r\n\r\n"u8);
        if (HttpAnswer.StatusOf(answer) != 101)
        {
            throw new LoadException($"the WebSocket handshake was refused: {Encoding.UTF8.GetString(answer).Split('\r')[0]}");
        }
    }

    internal bool Finished { get; private set; }

    /// <summary>Acks what is waiting although the command is not full: everything that had arrived has been looked at.</summary>
    internal void Flush()
    {
        if (_acksWaiting == 0)
        {
            return;
        }

        "]}"u8.CopyTo(_command.AsSpan(_commandLength));
        Span<byte> head = stackalloc byte[WebSocketFrames.ClientHeadBytesMax];
        Send(head[..WebSocketFrames.WriteHead(head, WebSocketFrames.Text, _commandLength + 2)]);
        Send(_command.AsSpan(0, _commandLength + 2));
        _unanswered++;
        _acksWaiting = 0;
    }

    protected override int Consume(ReadOnlySpan<byte> bytes)
    {
        var done = 0;
        while (WebSocketFrames.TryReadHead(bytes[done..], out var opcode, out var payload, out var headBytes)
            && bytes.Length - done >= headBytes + payload)
        {
            var content = bytes.Slice(done + headBytes, (int)payload);
            done += headBytes + (int)payload;
            if (opcode == WebSocketFrames.Ping)
            {
                Send(WebSocketFrames.Frame(WebSocketFrames.Pong, content));
            }
            else if (opcode == WebSocketFrames.Close)
            {
                _work.Fail(content.Length > 2 ? content[2..] : content);
            }
            else
            {
                OnText(content);
            }
        }

        Finished = _received >= _messages && _acksWaiting == 0 && _unanswered == 0;
        return done;
    }

    protected override void OnClosed()
    {
        if (!Finished)
        {
            _work.Fail("the server closed the connection"u8);
            Finished = true;
        }
    }

    private void OnText(ReadOnlySpan<byte> content)
    {
        if (content.IndexOf("@@"u8) < 0)
        {
            OnAnswer(content);
            return;
        }

        var receipt = ValueOf(content, "\"receipt\":"u8);
        if (receipt.IsEmpty)
        {
            throw new LoadException("a message came without a receipt: ack=manual needs the policy roundrobin "
                + $"(curl -d policy=roundrobin …/p/QUEUE): {Encoding.UTF8.GetString(content)}");
        }

        _received++;
        _work.Return(content);
        _work.Complete(1);
        AddAck(ValueOf(content, "\"id\":"u8), receipt);
        if (_acksWaiting == _acksPerCommand || _received == _messages)
        {
            Flush();
        }
    }

    private void OnAnswer(ReadOnlySpan<byte> content)
    {
        // An event that no command asked for has no ref.
        _unanswered -= content.IndexOf("\"ref\":"u8) >= 0 ? 1 : 0;
        if (content.IndexOf("\"error\""u8) >= 0)
        {
            _work.Fail(content);
        }
    }

    private void AddAck(ReadOnlySpan<byte> id, ReadOnlySpan<byte> receipt)
    {
        if (_command.Length - _commandLength < id.Length + receipt.Length + 64)
        {
            Array.Resize(ref _command, _command.Length * 2);
        }

        if (_acksWaiting++ == 0)
        {
            _commandLength = 0;
            Append(_commandStart);
        }
        else
        {
            Append(","u8);
        }

        Append("{\"id\":"u8);
        Append(id);
        Append(",\"receipt\":"u8);
        Append(receipt);
        Append("}"u8);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_command.AsSpan(_commandLength));
        _commandLength += bytes.Length;
    }

    /// <summary>A string value with its quotes. Bodies here are padding, so the first place with the name is the envelope's own.</summary>
    private static ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var at = json.IndexOf(name);
        if (at < 0 || json.Length <= at + name.Length || json[at + name.Length] != (byte)'"')
        {
            return default;
        }

        var value = json[(at + name.Length)..];
        return value[..(value[1..].IndexOf((byte)'"') + 2)];
    }
}
