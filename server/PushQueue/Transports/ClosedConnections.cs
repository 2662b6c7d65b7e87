using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace PushQueue.Transports;

/// <summary>Recognizes exceptions that only say that the client has gone: there is nobody to answer, and no fault to log.</summary>
internal static class ClosedConnections
{
    /// <summary>
    /// Whether an exception of a request's handler comes from the end of its connection. A read can throw before the web server has
    /// cancelled <see cref="HttpContext.RequestAborted"/>, so that token alone does not tell.
    /// </summary>
    public static bool Explain(HttpContext context, Exception e) =>
        e is ConnectionResetException or ConnectionAbortedException
        || (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        || (e is IOException and not BadHttpRequestException && IsEndOfStream(e.InnerException));

    /// <summary>
    /// Whether the web server gives this as the reason why a body cannot be read on: over HTTP/2 the end of the connection, or an error of
    /// the stream, which it has reset. The exception of such an error is internal to the web server.
    /// </summary>
    private static bool IsEndOfStream(Exception? reason) =>
        reason is ConnectionResetException or ConnectionAbortedException || reason?.GetType().Assembly == typeof(KestrelServer).Assembly;
}
