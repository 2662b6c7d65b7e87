using System.Text.Json.Serialization.Metadata;
using PushQueue.Client.Http;
using PushQueue.Client.Wire;

namespace PushQueue.Client;

/// <summary>Put.</summary>
public sealed partial class PushQueueClient
{
    /// <inheritdoc/>
    public async Task<PutResult> PutAsync(string queue, PutMessage message, CancellationToken cancellationToken = default)
    {
        var call = new Call(HttpMethod.Post, new Query(QueuePath(queue)).Add(message.Options).ToString())
        {
            Body = message.Body,
            ContentType = message.ContentType,
            MessageHeaders = message.Options?.Headers,
            Repeatable = message.Options?.Id is not null,
            Wait = message.Options?.WaitForAck ?? TimeSpan.Zero,
        };
        return (await SendAsync(call, cancellationToken).ConfigureAwait(false)).Read(ClientJson.Default.PutResult);
    }

    /// <inheritdoc/>
    public Task<PutManyResult> PutManyAsync<T>(
        string queue, IEnumerable<T> values, JsonTypeInfo<T> type, PutOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        if (options is { WaitForAck: not null } or { Id: not null } or { UniqueKey: not null })
        {
            throw new ArgumentException("Id, UniqueKey and WaitForAck belong to one message.", nameof(options));
        }

        var (body, count) = BatchWriter.Write(values, type);
        var path = new Query(QueuePath(queue) + "/batch").Add(options);
        return PutManyAsync(queue, body, count, path, repeatable: false, cancellationToken, options?.Headers);
    }

    /// <inheritdoc/>
    public Task<PutManyResult> PutManyAsync(string queue, IEnumerable<PutMessage> messages, CancellationToken cancellationToken = default)
    {
        var all = messages as IReadOnlyCollection<PutMessage> ?? [.. messages];
        var (body, count) = BatchWriter.Write(all);
        return PutManyAsync(queue, body, count, new Query(QueuePath(queue) + "/batch").Add("envelope", "true"),
            repeatable: all.All(message => message.Options?.Id is not null), cancellationToken);
    }

    private async Task<PutManyResult> PutManyAsync(
        string queue, ReadOnlyMemory<byte> body, int count, Query path, bool repeatable, CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? headers = null)
    {
        if (count == 0)
        {
            return new PutManyResult(queue, [], "");
        }

        var call = new Call(HttpMethod.Post, path.ToString())
        {
            Body = body,
            ContentType = PutMessage.JsonType,
            Repeatable = repeatable,
            MessageHeaders = headers,
        };
        return (await SendAsync(call, cancellationToken).ConfigureAwait(false)).Read(ClientJson.Default.PutManyResult);
    }
}
