namespace PushQueue.Queues;

/// <summary>
/// The other nodes that share the store, and a way to ask them for what each alone knows: its connections, its workers, itself.
/// </summary>
internal interface INodes
{
    /// <summary>How many low bits of <see cref="NumberBase"/> are zero, for a node's own numbers.</summary>
    const int NumberBits = 32;

    /// <summary>Added to this node's numbers of consumers, so that no two nodes give the same.</summary>
    long NumberBase { get; }

    /// <summary>Says how this node answers questions. Called from any thread; must not block, must not throw.</summary>
    void AnswerWith(Func<string, ValueTask<byte[]>> answer);

    /// <summary>
    /// Asks every other node that lives. Returns the answers that come within half a second; none if this node is alone.
    /// </summary>
    ValueTask<IReadOnlyList<byte[]>> AskAsync(string question);
}
