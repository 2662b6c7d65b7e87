using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>The turns of keys before a selection that only looks; see <see cref="QueueKeys.Restore"/>.</summary>
/// <param name="plain">The turn of the messages without a key.</param>
internal sealed class KeyTurns(long plain)
{
    private readonly Dictionary<MessageKey, long> _byKey = [];

    public long Plain => plain;

    public IReadOnlyDictionary<MessageKey, long> ByKey => _byKey;

    /// <summary>A message of the key is about to be selected.</summary>
    public void Note(MessageKey key) => _byKey.TryAdd(key, key.Turn);
}
