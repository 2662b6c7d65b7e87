using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace PushQueue.Transports.SignalR;

/// <summary>SignalR's JSON protocol, which also reads calls that are nested deeper than SignalR's own reader goes.</summary>
internal sealed class DeepJsonProtocol(JsonHubProtocol json) : IHubProtocol
{
    public string Name => json.Name;

    public int Version => json.Version;

    public TransferFormat TransferFormat => json.TransferFormat;

    public bool IsVersionSupported(int version) => json.IsVersionSupported(version);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => json.GetMessageBytes(message);

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => json.WriteMessage(message, output);

    public bool TryParseMessage(
        ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        var before = input;
        try
        {
            return json.TryParseMessage(ref input, binder, out message);
        }
        catch (InvalidDataException)
        {
            // The protocol has passed over the record.
            message = DeepCalls.Read(before.Slice(before.Start, input.Start), json, binder);
            if (message is null)
            {
                throw;
            }

            return true;
        }
    }
}
