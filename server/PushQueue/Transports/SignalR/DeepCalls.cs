using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Calls whose arguments are nested deeper than SignalR's JSON protocol reads: 64 levels, which nothing changes. It ends the connection at
/// such a call, and with it all subscriptions, although every other transport takes the message.
/// </summary>
internal static class DeepCalls
{
    private const byte RecordSeparator = 0x1E;

    private static readonly JsonWriterOptions Shallow = new() { SkipValidation = true, MaxDepth = JsonBody.ReaderOptions.MaxDepth };

    /// <summary>
    /// Reads a record that the protocol refused. Null if the record is broken for another reason, or nested deeper than JSON may be here.
    /// </summary>
    /// <param name="record">The record with its separator.</param>
    /// <param name="protocol">SignalR's JSON protocol, which reads everything but the deep arguments.</param>
    /// <param name="binder">Knows the parameters of the method.</param>
    public static HubMessage? Read(ReadOnlySequence<byte> record, IHubProtocol protocol, IInvocationBinder binder)
    {
        try
        {
            using var document = JsonDocument.Parse(record.Slice(0, record.Length - 1), JsonBody.DocumentOptions);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !JsonText.TryFind(document.RootElement, "arguments", out var arguments)
                || arguments.ValueKind != JsonValueKind.Array)
            {
                return null;
            }

            var withoutThem = new ReadOnlySequence<byte>(WithoutObjects(document.RootElement, arguments));
            return protocol.TryParseMessage(ref withoutThem, binder, out var call) ? WithArguments(call, arguments) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>The record with an empty object in place of each argument that is an object or a list.</summary>
    private static byte[] WithoutObjects(JsonElement record, JsonElement arguments)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Shallow))
        {
            json.WriteStartObject();
            foreach (var property in record.EnumerateObject())
            {
                if (!JsonText.TryReadName(property, out var name))
                {
                    continue;
                }

                json.WritePropertyName(name);
                if (name != "arguments")
                {
                    json.WriteRawValue(JsonText.Raw(property.Value), skipInputValidation: true);
                    continue;
                }

                json.WriteStartArray();
                foreach (var argument in arguments.EnumerateArray())
                {
                    json.WriteRawValue(IsNested(argument) ? "{}"u8 : JsonText.Raw(argument), skipInputValidation: true);
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        buffer.Write([RecordSeparator]);
        return buffer.WrittenSpan.ToArray();
    }

    private static HubMessage? WithArguments(HubMessage? message, JsonElement arguments)
    {
        if (message is not HubMethodInvocationMessage call)
        {
            // A binding failure names the method and the call, which gets its answer.
            return message is InvocationBindingFailureMessage ? message : null;
        }

        var index = 0;
        foreach (var argument in arguments.EnumerateArray())
        {
            if (IsNested(argument) && index < call.Arguments.Length)
            {
                var json = argument.Clone();
                object? whole = call.Arguments[index] switch
                {
                    JsonElement => json,
                    HubBody => new HubBody(json),
                    HubBodies => new HubBodies(json),
                    _ => null,
                };
                if (whole is null)
                {
                    return null;
                }

                call.Arguments[index] = whole;
            }

            index++;
        }

        return call;
    }

    private static bool IsNested(JsonElement argument) => argument.ValueKind is JsonValueKind.Object or JsonValueKind.Array;
}
