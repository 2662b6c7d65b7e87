using System.Text.Json;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Streaming;

/// <summary>Error answers to frames of a WebSocket.</summary>
internal static class CommandErrors
{
    public static readonly ReadOnlyMemory<byte> BinaryFrame = Make(
        "bad-json", "Send commands as JSON in text frames, not as binary ones.", null);

    /// <summary>One error answer, with the <c>ref</c> of the command as it came.</summary>
    public static ReadOnlyMemory<byte> Make(string error, string detail, JsonElement? reference)
    {
        var writer = PageWriter.Rent();
        writer.Write("{"u8);
        WriteRef(writer, reference);
        writer.Write("\"error\":"u8);
        writer.WriteJsonString(error);
        writer.Write(",\"detail\":"u8);
        writer.WriteJsonString(detail);
        writer.Write((byte)'}');
        var answer = writer.ToArray();
        writer.Return();
        return answer;
    }

    public static void WriteRef(PageWriter writer, JsonElement? reference)
    {
        if (reference is { ValueKind: JsonValueKind.String or JsonValueKind.Number } given)
        {
            writer.Write("\"ref\":"u8);
            writer.WriteUtf8(given.GetRawText());
            writer.Write((byte)',');
        }
    }
}
