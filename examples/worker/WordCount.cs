using System.Text.Json.Serialization;

namespace WordWorker;

/// <summary>How many words a text has.</summary>
/// <param name="Text">The id of the text's message.</param>
/// <param name="Words">How many.</param>
internal sealed record WordCount(string Text, int Words);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WordCount))]
internal sealed partial class WordCountJson : JsonSerializerContext;
