using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>
/// Counts requests that the web server refuses before the application sees them: headers beyond their limit and uploads that are too slow.
/// The web server answers them itself, with a status and no body. A host without a web server has no listener.
/// </summary>
internal sealed class WebServerRefusals(
    LimitHits hits, DiagnosticListener? diagnostics = null) : IHostedService, IObserver<KeyValuePair<string, object?>>
{
    private const string EventName = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    private IDisposable? _subscription;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _subscription = diagnostics?.Subscribe(this, static name => name == EventName);
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
            hits.Count(LimitNames.HeaderBytes);
        }
        else if (status == StatusCodes.Status408RequestTimeout)
        {
            hits.Count(LimitNames.UploadBytesPerSecond);
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
}
