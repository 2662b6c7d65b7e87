using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>
/// Completes the schemas of contracts: a member that can be left out is optional and never null, every other member is required; words and
/// durations have their values.
/// </summary>
internal sealed class ContractSchemas : IOpenApiSchemaTransformer
{
    /// <inheritdoc/>
    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = context.JsonTypeInfo.Type;
        if (type == typeof(MessageId))
        {
            schema.Type = JsonSchemaType.String;
            schema.Description = null;
        }
        else if (type == typeof(RawJson))
        {
            schema.Description = null;
        }
        else if (type == typeof(QueueSubscriptions))
        {
            // Its own converter writes it.
            schema.Type = JsonSchemaType.Array;
            schema.Properties = null;
            schema.Required = null;
            schema.Items = new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Object };
            schema.Description = "Names and patterns of queues; with a filter or a beginning an object with to, where and from.";
        }
        else if (schema.Type is { } known && known.HasFlag(JsonSchemaType.Integer) && known.HasFlag(JsonSchemaType.String))
        {
            // The generator allows numbers in strings, which these contracts do not write.
            schema.Type = known & ~JsonSchemaType.String;
            schema.Pattern = null;
        }
        else if (schema.Type is { } number && number.HasFlag(JsonSchemaType.Number) && number.HasFlag(JsonSchemaType.String))
        {
            schema.Type = number & ~JsonSchemaType.String;
            schema.Pattern = null;
        }

        if (context.JsonPropertyInfo is { AttributeProvider: { } member })
        {
            CompleteMember(schema, member);
        }
        else if (type.Namespace == typeof(ContractContext).Namespace && schema.Properties is { Count: > 0 })
        {
            schema.Required = context.JsonTypeInfo.Properties
                .Where(static property => property.AttributeProvider is { } provider && !CanBeLeftOut(provider))
                .Select(static property => property.Name)
                .ToHashSet(StringComparer.Ordinal);
        }

        return Task.CompletedTask;
    }

    private static void CompleteMember(OpenApiSchema schema, ICustomAttributeProvider member)
    {
        if (CanBeLeftOut(member))
        {
            schema.Type &= ~JsonSchemaType.Null;
        }

        if (Attribute<WordsAttribute>(member) is { } words)
        {
            schema.Enum = [.. words.Words.Select(static word => (JsonNode)JsonValue.Create(word))];
        }

        if (Attribute<DurationTextAttribute>(member) is not null)
        {
            schema.Pattern = ApiSchema.DurationPattern;
        }
    }

    private static bool CanBeLeftOut(ICustomAttributeProvider member) =>
        Attribute<JsonIgnoreAttribute>(
            member) is { Condition: JsonIgnoreCondition.WhenWritingNull or JsonIgnoreCondition.WhenWritingDefault };

    private static T? Attribute<T>(ICustomAttributeProvider member)
        where T : Attribute =>
        member.GetCustomAttributes(typeof(T), inherit: true).OfType<T>().FirstOrDefault();
}
