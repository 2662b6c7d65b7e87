namespace PushQueue.Transports.Json;

/// <summary>The words that a member of a contract can have.</summary>
/// <param name="words">The words.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class WordsAttribute(params string[] words) : Attribute
{
    public IReadOnlyList<string> Words => words;
}
