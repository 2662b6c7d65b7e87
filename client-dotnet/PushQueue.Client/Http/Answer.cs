using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PushQueue.Client.Http;

/// <summary>A whole answer.</summary>
/// <param name="Status">200 to 299, or 404 where that was asked for.</param>
/// <param name="Headers">Of the answer.</param>
/// <param name="ContentType">Of the body.</param>
/// <param name="Body">The body.</param>
/// <param name="Repeated">An earlier try of the same request may have been done, too.</param>
internal sealed record Answer(int Status, HttpResponseHeaders Headers, string? ContentType, byte[] Body, bool Repeated)
{
    public T Read<T>(JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(Body, type) ?? throw NotOurs(null);
        }
        catch (JsonException e)
        {
            throw NotOurs(e);
        }
    }

    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    public static PushQueueException NotOurs(Exception? cause) => new(
        ProblemTypes.BadAnswer, "The answer does not come from a PushQueue server; check the address.", innerException: cause);
}
