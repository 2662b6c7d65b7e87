using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// SignalR's JSON protocol, where the last argument of a call to <see cref="PushHub"/> may be left out: hubs know neither optional
/// parameters nor overloads, and <c>Subscribe("q")</c> must work as well as <c>Subscribe("q", options)</c>. Calls of other hubs pass
/// unchanged.
/// </summary>
internal sealed class PushHubProtocol(IOptions<JsonHubProtocolOptions> options) : IHubProtocol
{
    private readonly JsonHubProtocol _json = new(options);

    public string Name => _json.Name;

    public int Version => _json.Version;

    public TransferFormat TransferFormat => _json.TransferFormat;

    public bool IsVersionSupported(int version) => _json.IsVersionSupported(version);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => _json.GetMessageBytes(message);

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output)
    {
        _json.WriteMessage(message, output);
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
        var parsed = TryParse(ref input, binder, out message);
        if (parsed && message is InvocationBindingFailureMessage && IsOurs(binder))
        {
            // Read again as if the method had one parameter less; only a call that failed anyway pays for it.
            if (TryParse(ref before, new OneLess(binder), out var shorter) && Padded(shorter) is { } padded)
            {
                message = padded;
            }
        }

        return parsed;
    }

    private bool TryParse(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        var before = input;
        try
        {
            return _json.TryParseMessage(ref input, binder, out message);
        }
        catch (InvalidDataException)
        {
            // The protocol has passed over the record.
            message = DeepCalls.Read(before.Slice(before.Start, input.Start), _json, binder);
            if (message is null)
            {
                throw;
            }

            return true;
        }
    }

    // SignalR's binder is internal; that it is generic over the hub is all there is to tell whose it is.
    private static bool IsOurs(IInvocationBinder binder) =>
        binder.GetType() is { IsGenericType: true } type && type.GenericTypeArguments[0] == typeof(PushHub);

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
