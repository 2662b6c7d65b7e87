using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PushQueue.Client.Wire;

/// <summary>JSON by reflection, for programs that do not generate its code: names in camel case, as in
/// <c>JsonSerializerOptions.Web</c>.</summary>
internal static class ReflectedJson
{
    public const string Warning = "JSON by reflection needs types that trimming may remove. Give a JsonTypeInfo instead.";

    [RequiresUnreferencedCode(Warning)]
    [RequiresDynamicCode(Warning)]
    public static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)TypeOf(typeof(T), json: null);

    /// <summary>How a type looks as JSON.</summary>
    /// <param name="type">The type.</param>
    /// <param name="json">The program's own options; null for names in camel case.</param>
    [RequiresUnreferencedCode(Warning)]
    [RequiresDynamicCode(Warning)]
    public static JsonTypeInfo TypeOf(Type type, JsonSerializerOptions? json)
    {
        if (json is { IsReadOnly: false })
        {
            json.MakeReadOnly(populateMissingResolver: true);
        }

        return (json ?? Options.Web).GetTypeInfo(type);
    }

    [RequiresUnreferencedCode(Warning)]
    [RequiresDynamicCode(Warning)]
    private static class Options
    {
#if NET9_0_OR_GREATER
        public static JsonSerializerOptions Web => JsonSerializerOptions.Web;
#else
        public static JsonSerializerOptions Web { get; } =
            new(JsonSerializerDefaults.Web) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
#endif
    }
}
