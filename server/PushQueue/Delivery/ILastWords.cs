namespace PushQueue.Delivery;

/// <summary>The output of a connection to which a whole answer can be given in place of the web server's own.</summary>
internal interface ILastWords
{
    /// <summary>Sends these bytes behind what has been written so far; what is written after them goes nowhere.</summary>
    void EndWith(ReadOnlySpan<byte> words);
}
