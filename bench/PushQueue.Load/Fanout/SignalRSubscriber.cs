using System.Text;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Fanout;

/// <summary>
/// A hub client with the JSON protocol over WebSocket without negotiation: handshake, Subscribe, its completion, then pushes.
/// </summary>
internal sealed class SignalRSubscriber : WebSocketSubscriber
{
    private static readonly byte[] Ping = WebSocketFrames.Frame(WebSocketFrames.Text, "{\"type\":6}\u001e"u8);

    internal SignalRSubscriber(int port, string path, string arguments, string headers, DeliveryLedger ledger, bool neverReads)
        : base(port, path, headers, ledger, neverReads)
    {
        SendBlocking(WebSocketFrames.Frame(WebSocketFrames.Text, "{\"protocol\":\"json\",\"version\":1}\u001e"u8));
        RequireNoError(ReadThrough("\u001e"u8));
        SendBlocking(WebSocketFrames.Frame(WebSocketFrames.Text, Encoding.UTF8.GetBytes(
            $"{{\"type\":1,\"invocationId\":\"1\",\"target\":\"Subscribe\",\"arguments\":{arguments}}}\u001e")));
        byte[] answer;
        do
        {
            answer = ReadThrough("\u001e"u8); // pings may come before the completion
        }
        while (answer.AsSpan().IndexOf("\"type\":3"u8) < 0);
        RequireNoError(answer);
    }

    internal override void KeepAlive() => Send(Ping);

    private static void RequireNoError(byte[] answer)
    {
        if (answer.AsSpan().IndexOf("\"error\":\""u8) >= 0)
        {
            throw new LoadException($"the hub refused: {Encoding.UTF8.GetString(answer)}");
        }
    }
}
