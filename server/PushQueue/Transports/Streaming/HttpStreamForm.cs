using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Streaming;

/// <summary>The form of a streaming response.</summary>
/// <param name="Transport">For people: <c>comet</c>, <c>sse</c>.</param>
/// <param name="ContentType">Of the response.</param>
/// <param name="Format">How messages look.</param>
/// <param name="Chunked">The same in chunks of HTTP/1.1.</param>
internal readonly record struct HttpStreamForm(string Transport, string ContentType, MessageFormat Format, MessageFormat Chunked);
