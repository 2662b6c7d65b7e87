namespace PushQueue.Queues;

/// <summary>A node that shares its store with nobody.</summary>
internal sealed class OneNode : INodes
{
    public long NumberBase => 0;

    public void AnswerWith(Func<string, ValueTask<byte[]>> answer)
    {
        // Nobody asks.
    }

    public ValueTask<IReadOnlyList<byte[]>> AskAsync(string question) => new(Array.Empty<byte[]>());
}
