using System.Net.Http.Headers;
using PushQueue.Queues;

namespace PushQueue.Dialects.Redisched;

/// <summary>Posts one job to a URL.</summary>
internal sealed class PushSender(IHttpClientFactory clients, PushMark mark, TimeProvider time)
{
    public const string ClientName = "redisched-push";

    /// <returns>Null where the receiver has it (2xx), else why not, in a few words.</returns>
    public async Task<string?> SendAsync(Uri url, Message job, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        using var client = clients.CreateClient(ClientName);
        client.Timeout = Timeout.InfiniteTimeSpan;
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = Content(job) };
        request.Headers.Add(PushMark.Header, mark.Value);
        try
        {
            // The body of the answer is not used, and may be endless.
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return response.IsSuccessStatusCode ? null : $"the receiver answered {(int)response.StatusCode}";
        }
        catch (HttpRequestException e)
        {
            return $"the receiver could not be reached: {e.Message}";
        }
        catch (OperationCanceledException)
        {
            return cancellationToken.IsCancellationRequested ? "the server is stopping" : "the receiver did not answer in time";
        }
    }

    private static ByteArrayContent Content(Message job)
    {
        var json = JsonAnswers.ToBytes(job, static (writer, job) =>
        {
            writer.WriteStartObject();
            writer.WriteString("topic"u8, job.Queue.Value);
            RedischedAnswers.WriteIdAndBody(writer, job, "contents"u8);
            writer.WriteEndObject();
        });
        return new ByteArrayContent(json) { Headers = { ContentType = new MediaTypeHeaderValue(JsonAnswers.ContentType) } };
    }
}
