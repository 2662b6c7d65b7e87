using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;
using PushQueue.Transports.Packing;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// SignalR's MessagePack protocol. A record is checked as a whole before SignalR reads it, and what is wrong with an argument is reported
/// to the caller with its type, as it is for JSON.
/// </summary>
internal sealed class PackedHubProtocol(MessagePackHubProtocolOptions options, long recordBytesMax) : IHubProtocol
{
    /// <summary>Seven bits a byte; five bytes hold 31 bits.</summary>
    private const int LengthBytesMax = 5;

    private readonly MessagePackHubProtocol _inner = new(Options.Create(new MessagePackHubProtocolOptions
    {
        SerializerOptions = PackedFormatters.Options(options.SerializerOptions.Resolver),
    }));

    public string Name => _inner.Name;

    public int Version => _inner.Version;

    public TransferFormat TransferFormat => _inner.TransferFormat;

    public bool IsVersionSupported(int version) => _inner.IsVersionSupported(version);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => _inner.GetMessageBytes(message);

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => _inner.WriteMessage(message, output);

    /// <exception cref="HubException">The record is broken; SignalR ends the connection with the sentence.</exception>
    public bool TryParseMessage(
        ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        if (Record(input) is not { } record)
        {
            message = null;
            return false;
        }

        if (PackedShape.WhyNot(record) is { } whyNot)
        {
            throw Broken(whyNot);
        }

        var parsed = _inner.TryParseMessage(ref input, binder, out message);
        if (message is InvocationBindingFailureMessage failure && Refusal(failure.BindingFailure.SourceException) is { } refusal)
        {
            message = new InvocationBindingFailureMessage(
                failure.InvocationId, failure.Target, ExceptionDispatchInfo.Capture(refusal));
        }

        return parsed;
    }

    /// <summary>The first record without its length; null where it has not come in whole.</summary>
    private ReadOnlySequence<byte>? Record(in ReadOnlySequence<byte> input)
    {
        var reader = new SequenceReader<byte>(input);
        var length = 0L;
        for (var i = 0; reader.TryRead(out var part); i++)
        {
            length |= (part & 0x7FL) << (7 * i);
            if (part < 0x80)
            {
                return length > recordBytesMax
                    ? throw Broken($"it declares {length} bytes; the limit is {recordBytesMax}")
                    : reader.Remaining < length ? null : input.Slice(reader.Position, length);
            }

            if (i + 1 == LengthBytesMax)
            {
                throw Broken("its length takes more than 5 bytes");
            }
        }

        return null;
    }

    private static HubException Broken(string whyNot) =>
        HubCommands.Failure(new Problem(ProblemType.BadRequest, $"A record of the connection cannot be read: {whyNot}."));

    /// <summary>The sentence about an argument, which the serializer has wrapped in exceptions of its own.</summary>
    private static HubException? Refusal(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is HubException refusal)
            {
                return refusal;
            }
        }

        return null;
    }
}
