using System.Text.Json.Serialization;

namespace ShopBilling;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(Invoice))]
internal sealed partial class ShopJson : JsonSerializerContext;
