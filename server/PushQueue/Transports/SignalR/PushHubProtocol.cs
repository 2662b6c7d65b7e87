using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// A protocol of SignalR, where the last argument of a call may be left out: hubs know neither optional parameters nor overloads, and
/// <c>Subscribe("q")</c> must work as well as <c>Subscribe("q", options)</c>.
/// </summary>
internal sealed class PushHubProtocol(IHubProtocol inner) : IHubProtocol
{
    public string Name => inner.Name;

    public int Version => inner.Version;

    public TransferFormat TransferFormat => inner.TransferFormat;

    public bool IsVersionSupported(int version) => inner.IsVersionSupported(version);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => inner.GetMessageBytes(message);

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output)
    {
        inner.WriteMessage(message, output);
        if (message is not CompletionMessage { Result: RawJson { Pending: { } pending } })
        {
            return;
        }

        if (output is HubSocketOutput socket)
        {
            socket.Observe(pending);
        }
        else
        {
            // SignalR's own transports do not report the end of a write.
            _ = pending.SettleAsync(written: true);
        }
    }

    public bool TryParseMessage(
        ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        var before = input;
        var parsed = inner.TryParseMessage(ref input, binder, out message);
        if (parsed && message is InvocationBindingFailureMessage)
        {
            // Read again as if the method had one parameter less; only a call that failed anyway pays for it.
            if (inner.TryParseMessage(ref before, new OneLess(binder), out var shorter) && Padded(shorter) is { } padded)
            {
                message = padded;
            }
        }

        return parsed;
    }

    private static HubMessage? Padded(HubMessage message) => message switch
    {
        StreamInvocationMessage call => new StreamInvocationMessage(
            call.InvocationId!, call.Target, [.. call.Arguments, null], call.StreamIds)
        {
            Headers = call.Headers,
        },
        InvocationMessage call => new InvocationMessage(call.InvocationId, call.Target, [.. call.Arguments, null], call.StreamIds)
        {
            Headers = call.Headers,
        },
        _ => null,
    };

    private sealed class OneLess(IInvocationBinder inner) : IInvocationBinder
    {
        public IReadOnlyList<Type> GetParameterTypes(string methodName)
        {
            // Only a parameter that may be null can be left out.
            var types = inner.GetParameterTypes(methodName);
            return types.Count > 0 && Nullable.GetUnderlyingType(types[^1]) is not null ? [.. types.Take(types.Count - 1)] : types;
        }

        public Type GetReturnType(string invocationId) => inner.GetReturnType(invocationId);

        public Type GetStreamItemType(string streamId) => inner.GetStreamItemType(streamId);
    }
}
