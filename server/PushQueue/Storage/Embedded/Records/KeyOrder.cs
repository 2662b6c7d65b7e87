namespace PushQueue.Storage.Embedded.Records;

/// <summary>The order of the messages of one key: as they were put, or fell due, whatever their priority.</summary>
internal sealed class KeyOrder : IComparer<KeyedMessage>
{
    public static KeyOrder Instance { get; } = new();

    public int Compare(KeyedMessage? x, KeyedMessage? y)
    {
        var byPlace = x!.PlaceMs.CompareTo(y!.PlaceMs);
        return byPlace != 0 ? byPlace : x.Sequence.CompareTo(y.Sequence);
    }
}
