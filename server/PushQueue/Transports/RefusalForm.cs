using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using PushQueue.Transports.Rest;

namespace PushQueue.Transports;

/// <summary>
/// Metadata of an endpoint that belongs to another API than the native one: how it answers what is refused before its handler sees it.
/// </summary>
internal sealed class RefusalForm(Func<HttpContext, Problem, Task> refuseAsync)
{
    private static readonly RefusalForm Native = new(static (context, problem) => RestAnswers.ProblemAsync(context, problem).AsTask());

    /// <summary>The form of an endpoint; the native one where it has none of its own.</summary>
    public static RefusalForm Of(EndpointBuilder endpoint) => endpoint.Metadata.OfType<RefusalForm>().LastOrDefault() ?? Native;

    public Task RefuseAsync(HttpContext context, Problem problem) => refuseAsync(context, problem);
}
