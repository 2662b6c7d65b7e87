using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using PushQueue.Client.Wire;

namespace PushQueue.Client.SignalR;

/// <summary>
/// SignalR's JSON protocol, except that calls with one <see cref="HubItem"/> or <see cref="HubEnvelope"/> keep their argument as the JSON
/// that came. The framework's own reader ends the connection at JSON that is nested more than 64 levels deep, so that one message would
/// end the stream again and again.
/// </summary>
internal sealed class PushQueueHubProtocol : IHubProtocol
{
    private const byte RecordEnd = 0x1E;
    private const int Invocation = 1;

    private readonly JsonHubProtocol _json = new();

    public string Name => _json.Name;

    public int Version => _json.Version;

    public TransferFormat TransferFormat => _json.TransferFormat;

    public bool IsVersionSupported(int version) => _json.IsVersionSupported(version);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => _json.GetMessageBytes(message);

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => _json.WriteMessage(message, output);

    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        if (input.PositionOf(RecordEnd) is { } end)
        {
            var sequence = input.Slice(0, end);
            var record = sequence.IsSingleSegment ? sequence.FirstSpan : sequence.ToArray();
            if (ReadItem(record, binder) is { } item)
            {
                input = input.Slice(input.GetPosition(1, end));
                message = item;
                return true;
            }
        }

        return _json.TryParseMessage(ref input, binder, out message);
    }

    /// <summary>Null for everything but a call with one item.</summary>
    private static InvocationMessage? ReadItem(ReadOnlySpan<byte> record, IInvocationBinder binder)
    {
        var type = 0;
        string? target = null;
        byte[]? argument = null;
        var reader = new Utf8JsonReader(record, JsonLimits.Reader);
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("type"u8))
                {
                    reader.Read();
                    type = reader.GetInt32();
                }
                else if (reader.ValueTextEquals("target"u8))
                {
                    reader.Read();
                    target = reader.GetString();
                }
                else if (reader.ValueTextEquals("arguments"u8))
                {
                    argument = ReadOnly(ref reader, record);
                }
                else
                {
                    reader.Read();
                    reader.Skip();
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // The framework's reader reports what is wrong with it.
            return null;
        }

        return type == Invocation && argument is not null && target is not null && TakesItem(binder, target) is { } item
            ? new InvocationMessage(target, [item == typeof(HubItem) ? new HubItem(argument) : new HubEnvelope(argument)])
            : null;
    }

    /// <summary>The only element of a list; null where there are more or none.</summary>
    private static byte[]? ReadOnly(ref Utf8JsonReader reader, ReadOnlySpan<byte> record)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray || !reader.Read() || reader.TokenType == JsonTokenType.EndArray)
        {
            return null;
        }

        var from = (int)reader.TokenStartIndex;
        reader.Skip();
        var only = record[from..(int)reader.BytesConsumed].ToArray();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            only = null;
            reader.Skip();
        }

        return only;
    }

    /// <summary>The type of the item that the call takes; null where it takes something else.</summary>
    private static Type? TakesItem(IInvocationBinder binder, string target)
    {
        try
        {
            return binder.GetParameterTypes(target) is [var type] && (type == typeof(HubItem) || type == typeof(HubEnvelope)) ? type : null;
        }
        catch (InvalidDataException)
        {
            // A call that nobody handles.
            return null;
        }
    }
}
