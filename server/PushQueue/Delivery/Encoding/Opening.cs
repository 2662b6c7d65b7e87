namespace PushQueue.Delivery.Encoding;

/// <summary>The first event of a stream, before any message.</summary>
/// <param name="Cursor">Where the stream begins; null where the client said so itself, and where messages are not broadcast.</param>
/// <param name="Place">The place that is kept for the client when its connection drops; null for a consumer without grace.</param>
internal readonly record struct Opening(Cursor? Cursor, ConsumerPlace? Place);

/// <summary>A place that outlives its connection.</summary>
/// <param name="Token">By which a later connection asks for it.</param>
/// <param name="Resumed">How many messages it already holds.</param>
/// <param name="Outcome">The fate of the place that the client asked for: <c>kept</c>, <c>lost</c> or <c>elsewhere</c>; null for a new
/// one.</param>
internal sealed record ConsumerPlace(string Token, int Resumed, string? Outcome);
