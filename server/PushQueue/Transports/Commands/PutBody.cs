using System.Buffers.Text;

namespace PushQueue.Transports.Commands;

/// <summary>The body of a put command: <c>value</c> (or <c>body</c>, as envelopes call it), any JSON value; base64 for bytes.</summary>
internal static class PutBody
{
    public static Problem? Read(CommandFrame frame, out ReadOnlyMemory<byte> body, out string contentType)
    {
        body = default;
        contentType = ContentTypes.Json;
        var field = frame.Body(frame.Has("value") ? "value" : "body");
        if (!field.Given)
        {
            return Problem.BadOption("The field 'value' is missing.");
        }

        var problem = Problem.First(
            frame.Text("contentType", required: false, out var givenType), frame.Text("encoding", required: false, out var encoding));
        if (problem is not null)
        {
            return problem;
        }

        if (givenType is not null && ContentTypes.Check(givenType, out givenType) is { } wrong)
        {
            return wrong;
        }

        if (encoding is not null)
        {
            contentType = givenType ?? ContentTypes.Binary;
            return ReadBase64(frame, encoding, out body);
        }

        (body, contentType) = field.Read(frame.Json.Span, givenType);
        return null;
    }

    private static Problem? ReadBase64(CommandFrame frame, string encoding, out ReadOnlyMemory<byte> body)
    {
        body = default;
        var problem = frame.Text(frame.Has("value") ? "value" : "body", required: true, out var text);
        if (problem is not null)
        {
            return problem;
        }

        if (encoding != "base64" || !Base64.IsValid(text))
        {
            return Problem.BadOption("With 'encoding' the value is a string of base64, and 'encoding' is base64.");
        }

        body = Convert.FromBase64String(text!);
        return null;
    }
}
