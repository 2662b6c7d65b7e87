using System.Text;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Fanout;

/// <summary>Raw WebSocket: frames are walked, pings answered, payloads scanned without being put together.</summary>
internal class WebSocketSubscriber : Subscriber
{
    private long _payloadLeft;

    internal WebSocketSubscriber(int port, string path, string headers, DeliveryLedger ledger, bool neverReads)
        : base(port, ledger, neverReads)
    {
        SendBlocking(WebSocketFrames.Handshake(path, headers));
        var answer = ReadThrough("\r\n\r\n"u8);
        if (HttpAnswer.StatusOf(answer) != 101)
        {
            throw new LoadException($"the WebSocket handshake was refused: {Encoding.UTF8.GetString(answer).Split('\r')[0]}");
        }
    }

    protected override int ConsumeFrames(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (at < bytes.Length)
        {
            if (_payloadLeft == 0)
            {
                if (!WebSocketFrames.TryReadHead(bytes[at..], out var opcode, out var payload, out var headBytes))
                {
                    return at;
                }

                if (opcode >= WebSocketFrames.Close)
                {
                    if (bytes.Length - at < headBytes + payload)
                    {
                        return at;
                    }

                    OnControl(opcode, bytes.Slice(at + headBytes, (int)payload));
                    at += headBytes + (int)payload;
                    continue;
                }

                at += headBytes;
                _payloadLeft = payload;
            }

            var now = (int)Math.Min(_payloadLeft, bytes.Length - at);
            Scanner.Scan(bytes.Slice(at, now));
            at += now;
            _payloadLeft -= now;
        }

        return at;
    }

    private void OnControl(int opcode, ReadOnlySpan<byte> payload)
    {
        if (opcode == WebSocketFrames.Ping)
        {
            Send(WebSocketFrames.Frame(WebSocketFrames.Pong, payload));
        }
        else if (opcode == WebSocketFrames.Close)
        {
            Reason = payload.Length < 2 ? "close" : $"close {(payload[0] << 8) | payload[1]} {Encoding.UTF8.GetString(payload[2..])}";
        }
    }
}
