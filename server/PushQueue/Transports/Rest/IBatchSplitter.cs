namespace PushQueue.Transports.Rest;

/// <summary>Cuts the body of a batch into its elements.</summary>
internal interface IBatchSplitter
{
    /// <summary>Hands on every element that is complete.</summary>
    /// <param name="data">The bytes that are unread so far.</param>
    /// <param name="final">Whether nothing comes after it.</param>
    /// <param name="consumed">How much of it will not be needed again.</param>
    Problem? Split(ReadOnlySpan<byte> data, bool final, out int consumed);
}
