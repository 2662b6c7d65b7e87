using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace PushQueue.SystemTests.History.Links;

/// <summary>A connection that receives pushed messages, by one of the transports; created for every connection.</summary>
internal abstract class StreamLink(Uri address, HttpClient http) : IAsyncDisposable
{
    protected Uri Address => address;

    protected HttpClient Http => http;

    /// <summary>Everything that comes over the connection until it ends, however it ends.</summary>
    /// <param name="queue">The queue; empty for a stream over the queues that the options name.</param>
    /// <param name="options">As in the query of an address.</param>
    /// <param name="cancellationToken">Ends the connection.</param>
    public async IAsyncEnumerable<Received> ReadAsync(
        string queue, string options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var objects = OpenAsync(queue, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await objects.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (Exception e) when (IsEnd(e))
            {
                yield break;
            }

            yield return objects.Current;
        }
    }

    /// <summary>
    /// Acks (or releases) one message. True where that was answered; false where the lease was lost; null without an answer.
    /// </summary>
    public virtual async Task<bool?> SettleAsync(string word, string queue, string id, string receipt)
    {
        try
        {
            using var answer = await http.PostAsync(new Uri(address, $"/q/{queue}/messages/{id}/{word}?receipt={receipt}"), content: null);
            return answer.IsSuccessStatusCode
                ? true
                : answer.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound
                ? false
                : null;
        }
        catch (Exception e) when (IsEnd(e))
        {
            return null;
        }
    }

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The exceptions of a connection that was cut, refused or abandoned.</summary>
    public static bool IsEnd(Exception exception) =>
        exception is HttpRequestException or IOException or WebSocketException or OperationCanceledException or InvalidOperationException
            or System.Net.Sockets.SocketException or Microsoft.AspNetCore.SignalR.HubException;

    protected abstract IAsyncEnumerable<Received> OpenAsync(string queue, string options, CancellationToken cancellationToken);

    protected static JsonElement Parse(string text)
    {
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    protected static JsonElement Parse(ReadOnlySpan<byte> utf8) => Parse(Encoding.UTF8.GetString(utf8));

    /// <summary>The options of a query, as the object that commands and the hub take.</summary>
    protected static Dictionary<string, object> OptionsOf(string query) =>
        query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(option => option.Split('=', 2))
            .GroupBy(parts => parts[0], parts => Uri.UnescapeDataString(parts[1]), StringComparer.Ordinal)
            .ToDictionary(
                group => group.Key,
                group => group.Key is "queue" or "match" ? group.ToArray() : (object)group.Single(),
                StringComparer.Ordinal);

    /// <summary>The path of a stream over one queue or over many.</summary>
    protected static string PathOf(string transport, string queue, string options) =>
        queue.Length == 0 ? $"/{transport}?{options}" : $"/{transport}/{queue}?{options}";
}
