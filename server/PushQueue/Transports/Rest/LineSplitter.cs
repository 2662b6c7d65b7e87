namespace PushQueue.Transports.Rest;

/// <summary>NDJSON: a JSON value per line, blank lines ignored.</summary>
internal sealed class LineSplitter(BatchElements elements) : IBatchSplitter
{
    private long _line;

    public Problem? Split(ReadOnlySpan<byte> data, bool final, out int consumed)
    {
        consumed = 0;
        while (consumed < data.Length)
        {
            var rest = data[consumed..];
            var end = rest.IndexOf((byte)'\n');
            if (end < 0 && !final)
            {
                return rest.Length > elements.ElementBytesMax + 2 ? elements.TooLarge(new BatchPlace(IsLine: true, _line + 1), -1) : null;
            }

            var line = end < 0 ? rest : rest[..end];
            consumed += end < 0 ? rest.Length : end + 1;
            _line++;
            if (Add(line.Trim(" \t\r"u8)) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private Problem? Add(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty)
        {
            return null;
        }

        var place = new BatchPlace(IsLine: true, _line);
        if (line.Length > elements.ElementBytesMax)
        {
            return elements.TooLarge(place, line.Length);
        }

        return JsonBody.WhyNot(line) is { } whyNot
            ? Problem.BadJson($"{place} is not one valid JSON value: {whyNot}. Nothing was stored.")
            : elements.Add(line, place);
    }
}
