using System.Text.Json;
using System.Text.Unicode;

namespace PushQueue.Transports.Rest;

/// <summary>A JSON list of any length: the reader's state goes on from piece to piece, one element at a time.</summary>
internal sealed class ListSplitter(BatchElements elements) : IBatchSplitter
{
    private JsonReaderState _state = new(JsonBody.ReaderOptions);
    private long _element;
    private bool _open;
    private bool _closed;

    public Problem? Split(ReadOnlySpan<byte> data, bool final, out int consumed)
    {
        consumed = 0;
        try
        {
            var reader = new Utf8JsonReader(data, final, _state);
            return Walk(ref reader, data, final, ref consumed);
        }
        catch (JsonException e)
        {
            // The reader has no other way to say no.
            var hint = _closed ? " (for a list on each line say Content-Type: application/x-ndjson)" : "";
            return Problem.BadJson($"{Place} is not valid JSON: {JsonBody.Describe(e)}{hint}. Nothing was stored.");
        }
    }

    private BatchPlace Place => new(IsLine: false, _element + 1);

    private Problem? Walk(ref Utf8JsonReader reader, ReadOnlySpan<byte> data, bool final, ref int consumed)
    {
        // The first token opens the list, unless an earlier piece did.
        while (true)
        {
            if (!reader.Read())
            {
                return Ended(final);
            }

            var start = (int)reader.TokenStartIndex;
            if (!_open)
            {
                _open = true;
                if (reader.TokenType != JsonTokenType.StartArray)
                {
                    return Problem.BadJson("The body is not a JSON list.");
                }
            }
            else if (reader.TokenType == JsonTokenType.EndArray && reader.CurrentDepth == 0)
            {
                _closed = true;
            }
            else if (!reader.TrySkip())
            {
                return data.Length - start > elements.ElementBytesMax ? elements.TooLarge(Place, -1) : Ended(final);
            }
            else if (Add(data[start..(int)reader.BytesConsumed]) is { } problem)
            {
                return problem;
            }

            consumed = (int)reader.BytesConsumed;
            _state = reader.CurrentState;
        }
    }

    private Problem? Ended(bool final) =>
        final && !_closed ? Problem.BadJson($"The list ends before it is closed, after {_element} elements. Nothing was stored.") : null;

    private Problem? Add(ReadOnlySpan<byte> element)
    {
        if (!Utf8.IsValid(element))
        {
            return Problem.BadJson($"{Place} is not valid UTF-8. Nothing was stored.");
        }

        var problem = elements.Add(element, Place);
        _element++;
        return problem;
    }
}
