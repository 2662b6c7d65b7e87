using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;

namespace PushQueue.Dialects;

/// <summary>Answers a request and returns null, or returns the error that is to be the answer.</summary>
internal delegate ValueTask<JsonError?> JsonHandler(HttpContext context);

/// <summary>An error of the dialects that answer with <c>{"error":"…"}</c>.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Text">The error, for people.</param>
internal sealed record JsonError(int Status, string Text)
{
    /// <summary>The first of several findings; all are made, so that what each read is there when none is an error.</summary>
    public static JsonError? First(JsonError? first, JsonError? second, JsonError? third = null, JsonError? fourth = null) =>
        first ?? second ?? third ?? fourth;

    public static JsonError BadRequest(string text) => new(StatusCodes.Status400BadRequest, text);

    public static JsonError NotFound(string text) => new(StatusCodes.Status404NotFound, text);

    /// <summary>For what the dialect has no words of its own.</summary>
    public static JsonError Of(Problem problem) => new(problem.Type.Status, problem.Sentence);

    public static JsonError Of(BrokerFailure failure) => Of(ProblemDetailsMapper.ToProblem(failure));
}
