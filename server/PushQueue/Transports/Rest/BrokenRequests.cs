using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Hosting;
using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>
/// Requests that the web server itself refuses, before anything of ours sees them: those that are no HTTP, and headers beyond their limit. They
/// are counted, and answered with a problem like every other error. The web server would answer them without a body; it tells of them just
/// before it does.
/// </summary>
internal sealed class BrokenRequests(DiagnosticListener diagnostics, LimitHits hits) : IHostedService, IObserver<KeyValuePair<string, object?>>
{
    private const string EventName = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    private IDisposable? _subscription;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _subscription = diagnostics.Subscribe(this, static name => name == EventName);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _subscription?.Dispose();
        return Task.CompletedTask;
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is not IFeatureCollection features
            || features.Get<IBadRequestExceptionFeature>()?.Error is not BadHttpRequestException { StatusCode: var status })
        {
            return;
        }

        if (status is StatusCodes.Status431RequestHeaderFieldsTooLarge or StatusCodes.Status414RequestUriTooLong)
        {
            hits.Count("header-bytes");
        }
        else if (status == StatusCodes.Status408RequestTimeout)
        {
            hits.Count("upload-bytes-per-second");
        }

        // Whoever has begun to handle the request answers it himself.
        if (features.Get<IEndpointFeature>()?.Endpoint is null)
        {
            Answer(features, status);
        }
    }

    public void OnError(Exception error)
    {
        // Sources of this kind report none.
    }

    public void OnCompleted()
    {
        // The server stops.
    }

    /// <summary>
    /// Under TLS there is only the web server's own answer, which has no body: what is written to the socket there must pass its encryption.
    /// </summary>
    private static void Answer(IFeatureCollection features, int status)
    {
        if (features.Get<IHttpResponseFeature>() is { HasStarted: false }
            && features.Get<IConnectionTransportFeature>()?.Transport.Output is ILastWords output)
        {
            var type = TypeOf(status);
            var json = RestAnswers.ProblemJson(new Problem(type));
            output.EndWith([
                .. Encoding.ASCII.GetBytes(
                    $"HTTP/1.1 {type.Status} {ReasonPhrases.GetReasonPhrase(type.Status)}\r\nContent-Type: {RestAnswers.ProblemJsonType}\r\n"
                    + $"Content-Length: {json.Length}\r\nConnection: close\r\n\r\n"),
                .. json,
            ]);
        }
    }

    private static ProblemType TypeOf(int status) => status switch
    {
        StatusCodes.Status431RequestHeaderFieldsTooLarge => ProblemType.HeadersTooLarge,
        StatusCodes.Status414RequestUriTooLong => ProblemType.UriTooLong,
        StatusCodes.Status408RequestTimeout => ProblemType.Timeout,
        _ => ProblemType.BadRequest,
    };
}
