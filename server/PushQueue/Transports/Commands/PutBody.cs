namespace PushQueue.Transports.Commands;

/// <summary>The body of a put command: <c>value</c> (or <c>body</c>, as envelopes call it), any JSON value; base64 for bytes.</summary>
internal static class PutBody
{
    public static Problem? Read(CommandFrame frame, out ReadOnlyMemory<byte> body, out string contentType)
    {
        body = default;
        contentType = ContentTypes.Json;
        if (frame.Has("value") && frame.Has("body"))
        {
            return Problem.BadOption("Give either 'value' or 'body'; they are two names of one field.");
        }

        var name = frame.Has("value") ? "value" : "body";
        var field = frame.Body(name);
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
            var bad = field.ReadEncoded(frame.Raw(name), encoding, out var bytes);
            body = bytes;
            return bad;
        }

        var notText = field.Read(frame.Raw(name), ref givenType, out var text);
        (body, contentType) = (text, givenType!);
        return notText;
    }
}
