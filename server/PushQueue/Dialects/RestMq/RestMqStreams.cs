using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports;
using PushQueue.Transports.Framing;
using PushQueue.Transports.Streaming;

namespace PushQueue.Dialects.RestMq;

/// <summary><c>/c</c>, <c>/ws</c> and <c>/sse</c>: the native streams with another form of message.</summary>
internal sealed class RestMqStreams(ConsumerConnections connections, HttpStreamEndpoint http, WebSocketEndpoint sockets)
{
    private static readonly HttpStreamForm Lines = new("comet", "text/plain", RestMqLineFormat.Plain, RestMqLineFormat.PlainChunked);

    private static readonly HttpStreamForm Events =
        new("sse", HttpStreamEndpoint.EventStream, RestMqEventFormat.Plain, RestMqEventFormat.PlainChunked);

    public async Task CometAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not var (queue, callback))
        {
            return;
        }

        var form = Lines;
        if (callback.Name is { } name)
        {
            // Lives as long as its connection, so that no client can fill the memory with functions.
            var format = new RestMqLineFormat(name);
            form = new HttpStreamForm("comet", "application/javascript", format, ChunkedFormat.Of(format));
        }

        await http.ServeAsync(context, new StreamRequest(queue, ConsumerOptions.Default), form);
    }

    public async Task EventsAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not var (queue, _))
        {
            return;
        }

        if (LastEventId.EndsIfStopped(context))
        {
            return;
        }

        var options = LastEventId.Of(context.Request) is { } id
            ? ConsumerOptions.Default with { From = StartPosition.Resume(id) }
            : ConsumerOptions.Default;
        await http.ServeAsync(context, new StreamRequest(queue, options), Events);
    }

    public async Task SocketAsync(HttpContext context)
    {
        if (await ReadAsync(context) is var (queue, _))
        {
            await sockets.ServeEchoAsync(context, new StreamRequest(queue, ConsumerOptions.Default), RestMqSocketFormat.Instance);
        }
    }

    /// <summary>Null where the request was refused, and answered.</summary>
    private async Task<(QueueName Queue, RestMqCallback Callback)?> ReadAsync(HttpContext context)
    {
        var problem = RestMqQueues.Read(context, out var queue, out var callback)
            ?? StreamAdmission.WhyNot(connections);
        if (problem is null)
        {
            return (queue, callback);
        }

        await RefusalForm.RefuseAsync(context, problem);
        return null;
    }
}
