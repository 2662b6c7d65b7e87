using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;

namespace PushQueue.Dialects.RestMq;

/// <summary><c>/j</c>: what a queue holds, for people.</summary>
internal sealed class RestMqPages(IMessageBroker broker)
{
    private const int KeysShown = 10;

    public async Task QueueAsync(HttpContext context)
    {
        if (RestMqQueues.Read(context, out var queue, out _) is { } problem)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        var info = await broker.GetQueueAsync(queue);
        var name = WebUtility.HtmlEncode(queue.Value);
        var page = new StringBuilder()
            .Append(
                CultureInfo.InvariantCulture,
                $"<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{name}</title></head><body>\n<h1>{name}</h1>\n")
            .Append(CultureInfo.InvariantCulture, $"<p>Stored objects: {info?.Waiting ?? 0}</p>\n<p>Jobs: {info?.Ready ?? 0}</p>\n")
            .Append("<p>Latest keys:</p>\n<ul>\n");
        foreach (var id in await broker.NewestAsync(queue, KeysShown))
        {
            page.Append(CultureInfo.InvariantCulture, $"<li>{WebUtility.HtmlEncode(RestMqAnswers.Key(queue, id))}</li>\n");
        }

        await RestMqAnswers.PageAsync(context, page.Append("</ul>\n</body></html>").ToString());
    }
}
