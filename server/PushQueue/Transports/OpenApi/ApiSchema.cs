using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace PushQueue.Transports.OpenApi;

/// <summary>The values of a parameter, a header or a text.</summary>
internal sealed record ApiSchema
{
    public static readonly ApiSchema Text = new();

    public static readonly ApiSchema Time = new() { Format = "date-time" };

    public static readonly ApiSchema Binary = new() { Format = "binary" };

    public static readonly ApiSchema Flag = Words("true", "false", "1", "0");

    /// <summary>A receipt of a lease.</summary>
    public static readonly ApiSchema Receipt = new() { Pattern = "^[0-9a-fA-F]{16}$" };

    /// <summary>Written like 30, 1.5, 500ms, 5m or 2h.</summary>
    public static readonly ApiSchema Duration = new() { Pattern = DurationPattern };

    public const string DurationPattern = @"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)?$";

    private JsonSchemaType Type { get; init; } = JsonSchemaType.String;

    private string? Format { get; init; }

    private string? Pattern { get; init; }

    private long? Min { get; init; }

    private long? Max { get; init; }

    private int? MinLength { get; init; }

    private int? MaxLength { get; init; }

    private int? MaxItems { get; init; }

    private ApiSchema? Items { get; init; }

    private JsonNode? Default { get; init; }

    private string[] Choices { get; init; } = [];

    /// <summary>A whole number.</summary>
    public static ApiSchema Number(long? min = null, long? max = null, long? byDefault = null) => new()
    {
        Type = JsonSchemaType.Integer, Format = "int64", Min = min, Max = max, Default = byDefault is { } value
            ? JsonValue.Create(value)
            : null,
    };

    /// <summary>One of several words.</summary>
    public static ApiSchema Words(params string[] choices) => new() { Choices = choices };

    /// <summary>A text of bounded length.</summary>
    public static ApiSchema TextOf(int minLength, int maxLength) =>
        new() { MinLength = minLength > 0 ? minLength : null, MaxLength = maxLength };

    /// <summary>Several texts; in the query the parameter is repeated for each.</summary>
    public static ApiSchema Texts(int maxItems) => new() { Type = JsonSchemaType.Array, MaxItems = maxItems, Items = Text };

    /// <summary>The same, with the word that holds where the parameter is left out.</summary>
    public ApiSchema WithDefault(string word) => this with { Default = JsonValue.Create(word) };

    public OpenApiSchema Build() => new()
    {
        Type = Type,
        Format = Format,
        Pattern = Pattern,
        Minimum = Min?.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Maximum = Max?.ToString(System.Globalization.CultureInfo.InvariantCulture),
        MinLength = MinLength,
        MaxLength = MaxLength,
        MaxItems = MaxItems,
        Items = Items?.Build(),
        Default = Default?.DeepClone(),
        Enum = Choices.Length > 0 ? [.. Choices.Select(static word => (JsonNode)JsonValue.Create(word))] : null,
    };
}
