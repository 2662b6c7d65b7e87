namespace PushQueue.Delivery.Encoding;

/// <summary>How deep JSON may be nested. The two limits hold for the server and for both clients.</summary>
internal static class JsonDepth
{
    /// <summary>
    /// Of any JSON that the server reads or writes. 64 is the default limit of System.Text.Json and a fixed limit of SignalR's .NET client: JSON
    /// that is nested deeper would end the connections of such clients.
    /// </summary>
    public const int Max = 64;

    /// <summary>
    /// Of a message's body that is shown as JSON. The four levels that remain are what can stand around a body: a hub's completion, its result,
    /// a list and an envelope. A body that is nested deeper is shown as base64.
    /// </summary>
    public const int Body = Max - 4;
}
