using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using MessagePack;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>
/// A hub client of SignalR's MessagePack protocol for tests that speak the JSON protocol: each record goes out in MessagePack, and what
/// comes back is read as the record that a client of the JSON protocol would get. Bytes are read as strings of base64.
/// </summary>
internal sealed class PackedHubSocket(ClientWebSocket socket) : WebSocket
{
    private const char RecordEnd = '\u001e';

    private ReadOnlyMemory<byte> _unread;
    private bool _isOpen;

    public override WebSocketCloseStatus? CloseStatus => socket.CloseStatus;

    public override string? CloseStatusDescription => socket.CloseStatusDescription;

    public override WebSocketState State => socket.State;

    public override string? SubProtocol => socket.SubProtocol;

    public override void Abort() => socket.Abort();

    public override void Dispose() => socket.Dispose();

    public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        socket.CloseAsync(closeStatus, statusDescription, cancellationToken);

    public override Task CloseOutputAsync(
        WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        socket.CloseOutputAsync(closeStatus, statusDescription, cancellationToken);

    public override Task SendAsync(
        ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetString(buffer);
        var bytes = text == HubSockets.Handshake
            ? Encoding.UTF8.GetBytes(text.Replace("json", "messagepack", StringComparison.Ordinal))
            : [.. text.Split(RecordEnd, StringSplitOptions.RemoveEmptyEntries).SelectMany(Record)];
        return socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage, cancellationToken);
    }

    public override async Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken)
    {
        if (_unread.IsEmpty)
        {
            var frame = new ArrayBufferWriter<byte>();
            ValueWebSocketReceiveResult result;
            do
            {
                result = await socket.ReceiveAsync(frame.GetMemory(64 * 1024), cancellationToken);
                frame.Advance(result.Count);
            }
            while (!result.EndOfMessage);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return new WebSocketReceiveResult(0, WebSocketMessageType.Close, true, CloseStatus, CloseStatusDescription);
            }

            Assert.Equal(WebSocketMessageType.Binary, result.MessageType);
            _unread = Encoding.UTF8.GetBytes(_isOpen ? Read(frame.WrittenMemory) : Encoding.UTF8.GetString(frame.WrittenSpan));
            _isOpen = true;
        }

        var length = Math.Min(buffer.Count, _unread.Length);
        _unread.Span[..length].CopyTo(buffer);
        _unread = _unread[length..];
        return new WebSocketReceiveResult(length, WebSocketMessageType.Text, _unread.IsEmpty);
    }

    /// <summary>One record of the JSON protocol in MessagePack.</summary>
    public static byte[] Record(string record)
    {
        using var document = JsonDocument.Parse(record);
        var json = document.RootElement;
        var id = json.TryGetProperty("invocationId", out var given) ? given.GetRawText() : "null";
        var payload = json.GetProperty("type").GetInt32() switch
        {
            1 => $"[1,{{}},{id},{json.GetProperty("target").GetRawText()},{json.GetProperty("arguments").GetRawText()},[]]",
            4 => $"[4,{{}},{id},{json.GetProperty("target").GetRawText()},{json.GetProperty("arguments").GetRawText()},[]]",
            5 => $"[5,{{}},{id}]",
            6 => "[6]",
            var type => throw new NotSupportedException($"Clients of the tests send no records of type {type}."),
        };
        return WithLength(MessagePackSerializer.ConvertFromJson(payload));
    }

    /// <summary>A record with its length before it.</summary>
    public static byte[] WithLength(ReadOnlySpan<byte> record)
    {
        var framed = new List<byte>();
        var rest = (uint)record.Length;
        for (; rest > 0x7F; rest >>= 7)
        {
            framed.Add((byte)(0x80 | (rest & 0x7F)));
        }

        framed.Add((byte)rest);
        return [.. framed, .. record];
    }

    private static string Read(ReadOnlyMemory<byte> records)
    {
        var text = new StringBuilder();
        while (!records.IsEmpty)
        {
            var (length, shift) = (0, 0);
            byte part;
            do
            {
                part = records.Span[0];
                length |= (part & 0x7F) << shift;
                shift += 7;
                records = records[1..];
            }
            while (part > 0x7F);

            using var document = JsonDocument.Parse(MessagePackSerializer.ConvertToJson(records[..length]));
            _ = text.Append(OfJson(document.RootElement)).Append(RecordEnd);
            records = records[length..];
        }

        return text.ToString();
    }

    private static string OfJson(JsonElement record) => record[0].GetInt32() switch
    {
        1 => $"{{\"type\":1,\"target\":{record[3].GetRawText()},\"arguments\":{record[4].GetRawText()}}}",
        2 => $"{{\"type\":2,\"invocationId\":{record[2].GetRawText()},\"item\":{record[3].GetRawText()}}}",
        3 => $"{{\"type\":3,\"invocationId\":{record[2].GetRawText()}" + record[3].GetInt32() switch
        {
            1 => $",\"error\":{record[4].GetRawText()}}}",
            2 => "}",
            _ => $",\"result\":{record[4].GetRawText()}}}",
        },
        6 => "{\"type\":6}",
        7 => $"{{\"type\":7,\"error\":{record[1].GetRawText()}{(record[2].GetBoolean() ? ",\"allowReconnect\":true" : "")}}}",
        var type => throw new NotSupportedException($"The server sends no records of type {type}."),
    };
}
