using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>An element of a batch of envelopes. Fields that only report are accepted and ignored.</summary>
internal sealed record PutEnvelopeContract
{
    [Description("Any JSON value; a string with a contentType that is not JSON is that text itself.")]
    public required JsonElement Body { get; init; }

    [Description("The body is a string of base64; the message is its bytes.")]
    [Words("base64")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Encoding { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ContentType { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Id { get; init; }

    [MaxLength(255)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Key { get; init; }

    [Description("Up to 32 names with values, 4096 bytes together.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    [Description("W3C trace context; an invalid one is ignored.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Traceparent { get; init; }
}
