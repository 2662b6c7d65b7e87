using System.Text.Json.Serialization;

namespace PushQueue.ClientTests.Support;

internal sealed record Order(int Number, string Item);

[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(string))]
internal sealed partial class TestJson : JsonSerializerContext;
