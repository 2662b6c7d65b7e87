using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;

namespace PushQueue.Dialects.Presque;

/// <summary>GET /: the queues and the workers at a glance.</summary>
internal sealed class PresquePage(IMessageBroker broker, WorkerRegistry workers, AccessControl access)
{
    /// <summary>More would be no glance.</summary>
    private const int RowsMax = 1000;

    private const string NothingElse = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public async Task ShowAsync(HttpContext context)
    {
        var queues = await broker.ListQueuesAsync(after: null, RowsMax);
        context.Response.Headers.ContentSecurityPolicy = NothingElse;
        await RestAnswers.BytesAsync(
            context,
            StatusCodes.Status200OK,
            "text/html; charset=utf-8",
            Encoding.UTF8.GetBytes(Page(queues, access.CallerOf(context), DialectRequest.Base(context, "presque"))));
    }

    private string Page(QueuePage queues, Caller caller, string root)
    {
        var html = new StringBuilder(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>presque</title></head><body>\n");
        html.Append("<h1>presque</h1>\n<h2>Queues</h2>\n<table border=\"1\">\n");
        html.Append("<tr><th>queue<th>status<th>jobs<th>delayed<th>processed<th>failed</tr>\n");
        foreach (var queue in queues.Queues.Where(queue => caller.May(Permissions.Any, queue.Name)))
        {
            var link = $"{root}/status/{Uri.EscapeDataString(queue.Name.Value)}";
            html.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td><a href=\"{Safe(link)}\">{Safe(queue.Name.Value)}</a><td>{(queue.Settings.Stopped ? "closed" : "open")}");
            html.Append(
                CultureInfo.InvariantCulture,
                $"<td>{queue.Ready}<td>{queue.Delayed}<td>{queue.Counters.Delivered}<td>{queue.Counters.Failed}</tr>\n");
        }

        html.Append("</table>\n<h2>Workers</h2>\n<table border=\"1\">\n")
            .Append("<tr><th>worker<th>queues<th>started at<th>processed<th>failed</tr>\n");
        foreach (var worker in workers.List().Where(worker => PresqueWorkers.IsSeen(worker, caller)).Take(RowsMax))
        {
            var names = string.Join(", ", worker.Queues.Where(queue => caller.May(Permissions.Any, queue)));
            html.Append(
                CultureInfo.InvariantCulture, $"<tr><td>{Safe(worker.Name)}<td>{Safe(names)}<td>{worker.Since.UtcDateTime:u}");
            html.Append(CultureInfo.InvariantCulture, $"<td>{worker.Processed}<td>{worker.Failed}</tr>\n");
        }

        return html.Append("</table>\n</body></html>\n").ToString();
    }

    private static string Safe(string text) => HtmlEncoder.Default.Encode(text);
}
