using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PushQueue.Client.Wire;

/// <summary>JSON by reflection, for programs that do not generate its code: names in camel case, as in
/// <see cref="JsonSerializerOptions.Web"/>.</summary>
internal static class ReflectedJson
{
    public const string Warning = "JSON by reflection needs types that trimming may remove. Give a JsonTypeInfo instead.";

    [RequiresUnreferencedCode(Warning)]
    [RequiresDynamicCode(Warning)]
    public static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)JsonSerializerOptions.Web.GetTypeInfo(typeof(T));
}
