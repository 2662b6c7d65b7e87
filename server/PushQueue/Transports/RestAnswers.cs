using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using PushQueue.Transports.Json;

namespace PushQueue.Transports;

/// <summary>Writes answers: status, headers and a body whose length is known, in one write.</summary>
internal static class RestAnswers
{
    public const string JsonType = "application/json";

    /// <summary>Of RFC 9457.</summary>
    public const string ProblemJsonType = "application/problem+json";

    /// <summary>A store that is out of reach is looked for every second.</summary>
    private const string RetrySeconds = "2";

    /// <summary>Answers with JSON and reports no problem.</summary>
    public static async ValueTask<Problem?> JsonAsync(HttpContext context, int status, byte[] json)
    {
        await BytesAsync(context, status, JsonType, json);
        return null;
    }

    /// <summary>Answers 200 with a contract.</summary>
    public static ValueTask<Problem?> ContractAsync<T>(HttpContext context, T contract, JsonTypeInfo<T> type) =>
        JsonAsync(context, StatusCodes.Status200OK, JsonBuffer.Write(contract, type));

    public static Problem? NoContent(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return null;
    }

    public static async ValueTask BytesAsync(HttpContext context, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;

        // Bodies are whatever their producers sent; no browser may guess that one is a page.
        response.Headers.XContentTypeOptions = "nosniff";
        if (!body.IsEmpty)
        {
            await response.BodyWriter.WriteAsync(body, context.RequestAborted);
        }
    }

    /// <summary>When what is out of service now may be asked again.</summary>
    public static void SayWhenToRetry(HttpContext context, int status)
    {
        if (status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = RetrySeconds;
        }
    }

    public static ValueTask ProblemAsync(HttpContext context, Problem problem)
    {
        SayWhenToRetry(context, problem.Type.Status);
        return BytesAsync(context, problem.Type.Status, ProblemJsonType, ProblemJson(problem));
    }

    public static byte[] ProblemJson(Problem problem) => JsonBuffer.Write(
        new ProblemContract(problem.Type.Name, problem.Type.Title, problem.Type.Status, problem.Sentence),
            ContractContext.Default.ProblemContract);
}
