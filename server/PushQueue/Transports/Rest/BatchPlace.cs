namespace PushQueue.Transports.Rest;

/// <summary>
/// Where an element of a batch stands: a line of NDJSON, or an element of a list. Becomes text only when something is wrong.
/// </summary>
internal readonly record struct BatchPlace(bool IsLine, long Number)
{
    public override string ToString() => $"{(IsLine ? "Line" : "Element")} {Number}";
}
