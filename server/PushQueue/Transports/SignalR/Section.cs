using System.Text.Json;

namespace PushQueue.Transports.SignalR;

/// <summary>A part of what is watched that is sent only where it differs from what was sent last.</summary>
internal sealed class Section
{
    private byte[] _sent = [];

    public void WriteIfNew(Utf8JsonWriter writer, ReadOnlySpan<byte> name, byte[] json)
    {
        if (!json.AsSpan().SequenceEqual(_sent))
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(json, skipInputValidation: true);
            _sent = json;
        }
    }
}
