using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

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
        || (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException);
}
