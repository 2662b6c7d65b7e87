using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>A command that failed.</summary>
internal sealed record CommandErrorContract
{
    [Description("The ref of the command, if it has one.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Ref { get; init; }

    [Description("The name of the problem, such as bad-option.")]
    public required string Error { get; init; }

    public required string Detail { get; init; }
}
