using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Streaming;

/// <summary>A response that never ends by itself: comet and server-sent events.</summary>
internal sealed class HttpStreamConnection(HttpContext context, string transport, MessageFormat format, IConsumerRights rights)
    : IConsumerConnection
{
    // Kept here because a list of consumers may be made when the request, and its context with it, has just ended.
    private readonly IPAddress? _remoteAddress = context.Connection.RemoteIpAddress;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PipeWriter _output = context.Response.BodyWriter;

    public string Transport => transport;

    public string? RemoteAddress => _remoteAddress?.ToString();

    public IConsumerRights Rights => rights;

    public MessageFormat ControlFormat => format;

    public bool Multiplexed => false;

    public int? LastHeardAt => null;

    /// <summary>Completes when either side has ended the stream.</summary>
    public Task Ended => _ended.Task;

    public bool Aborted { get; private set; }

    public ValueTask WriteAsync(EncodedPage page) => Check(_output.WriteAsync(page.Bytes));

    public ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
    {
        foreach (var page in pages)
        {
            _output.Write(page.Bytes.Span);
        }

        return Check(_output.FlushAsync());
    }

    public void Complete(CloseReason reason) => _ended.TrySetResult();

    public void Abort(CloseReason reason)
    {
        Aborted = true;
        context.Abort();
        _ended.TrySetResult();
    }

    private static ValueTask Check(ValueTask<FlushResult> flush)
    {
        if (!flush.IsCompletedSuccessfully)
        {
            return CheckSlowAsync(flush);
        }

        // The server's pipe does not report a write to a client that has gone as an error; it only says that nothing is read any more.
        var result = flush.Result;
        return result.IsCompleted || result.IsCanceled ? ValueTask.FromException(new ConnectionGoneException()) : default;
    }

    private static async ValueTask CheckSlowAsync(ValueTask<FlushResult> flush)
    {
        var result = await flush;
        if (result.IsCompleted || result.IsCanceled)
        {
            throw new ConnectionGoneException();
        }
    }
}
