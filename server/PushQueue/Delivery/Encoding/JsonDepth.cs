namespace PushQueue.Delivery.Encoding;

/// <summary>
/// How deep JSON may be nested: the limits of everything in the server that reads JSON. The clients read deeper than <see cref="Max"/>.
/// </summary>
internal static class JsonDepth
{
    /// <summary>
    /// Of a message's body that is shown as JSON. It is deeper than any real document, and keeps a hostile one from costing much. A body
    /// that is nested deeper is shown as base64.
    /// </summary>
    public const int Body = 512;

    /// <summary>
    /// Of any JSON that the server reads or writes: a body and the few levels around it, such as an answer, a list and an envelope.
    /// </summary>
    public const int Max = Body + 8;
}
