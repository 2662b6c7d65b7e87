using System.Text.Json.Serialization.Metadata;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.SignalR;

/// <summary>A part of what is watched that is sent only where it differs from what was sent last.</summary>
internal sealed class Section
{
    private byte[] _sent = [];

    /// <summary>The part; null where it is as it was sent last.</summary>
    public RawJson? IfNew<T>(T contract, JsonTypeInfo<T> type)
    {
        var json = JsonBuffer.Write(contract, type);
        if (json.AsSpan().SequenceEqual(_sent))
        {
            return null;
        }

        _sent = json;
        return new RawJson(json);
    }
}
