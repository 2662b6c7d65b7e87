using PushQueue.Delivery.Encoding;

namespace PushQueue.Dialects.RestMq;

/// <summary>The one object that all streams of this dialect carry: <c>{"key","value"}</c>, the value always a string.</summary>
internal static class RestMqEnvelope
{
    public static void Write(PageWriter writer, in PushedMessage pushed)
    {
        var message = pushed.Message;
        writer.Write("{\"key\":"u8);
        writer.WriteJsonString(RestMqAnswers.Key(message));
        writer.Write(",\"value\":"u8);
        if (pushed.Kind == BodyKind.Binary)
        {
            writer.Write((byte)'"');
            writer.WriteBase64(message.Body.Span);
            writer.Write((byte)'"');
        }
        else
        {
            writer.WriteJsonString(message.Body.Span);
        }

        writer.Write((byte)'}');
    }
}
