using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace PushQueue.Transports;

/// <summary>
/// Metadata of an endpoint that belongs to another API than the native one: how it answers what is refused before its handler sees it, and
/// the streams that it shares with the native one.
/// </summary>
internal sealed class RefusalForm(Func<HttpContext, Problem, Task> refuseAsync)
{
    private static readonly RefusalForm Native = new(static (context, problem) => RestAnswers.ProblemAsync(context, problem).AsTask());

    /// <summary>The form of an endpoint; the native one where it has none of its own.</summary>
    public static RefusalForm Of(EndpointBuilder endpoint) => endpoint.Metadata.OfType<RefusalForm>().LastOrDefault() ?? Native;

    /// <summary>Refuses in the form of the endpoint that serves the request.</summary>
    public static Task RefuseAsync(HttpContext context, Problem problem) =>
        (context.GetEndpoint()?.Metadata.GetMetadata<RefusalForm>() ?? Native).AnswerAsync(context, problem);

    public Task AnswerAsync(HttpContext context, Problem problem) =>
        EventStreamRefusal.Fits(context.Request, problem)
            ? EventStreamRefusal.AnswerAsync(context, problem)
            : refuseAsync(context, problem);
}
