namespace PushQueue.Client.Streaming;

/// <summary>The queues of one stream over many.</summary>
/// <param name="Queues">By their names.</param>
/// <param name="Match">By patterns of their names.</param>
internal sealed record QueueSelection(string[] Queues, string[] Match)
{
    public override string ToString() => string.Join(' ', Queues.Concat(Match));
}
