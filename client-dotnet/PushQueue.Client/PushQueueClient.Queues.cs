using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using PushQueue.Client.Http;

namespace PushQueue.Client;

/// <summary>Messages where they rest, queues, settings and the node.</summary>
public sealed partial class PushQueueClient
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<Message> BrowseAsync(
        string queue, string state = "ready", int pageSize = 100, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? after = null;
        do
        {
            var path = new Query(QueuePath(queue) + "/messages").Add("state", state).Add("after", after).Add("limit", pageSize);
            var (messages, next) = ReadMessages(
                await SendAsync(new Call(HttpMethod.Get, path.ToString()), cancellationToken).ConfigureAwait(false));
            foreach (var message in messages)
            {
                yield return message;
            }

            after = next;
        }
        while (after is not null);
    }

    /// <inheritdoc/>
    public async Task<Message?> FindAsync(string queue, string id, CancellationToken cancellationToken = default)
    {
        var answer = await _http.SendAsync(
            new Call(HttpMethod.Get, MessagePath(queue, id)), orNotFound: true, cancellationToken).ConfigureAwait(false);
        if (answer.Status == 404)
        {
            return null;
        }

        try
        {
            return Wire.EnvelopeReader.Read(answer.Body) ?? throw Answer.NotOurs(null);
        }
        catch (JsonException e)
        {
            throw Answer.NotOurs(e);
        }
    }

    /// <inheritdoc/>
    public async Task<bool> CancelAsync(string queue, string id, CancellationToken cancellationToken = default)
    {
        var answer = await _http.SendAsync(
            new Call(HttpMethod.Delete, MessagePath(queue, id)), orNotFound: true, cancellationToken).ConfigureAwait(false);
        return answer.Status != 404 || answer.Repeated;
    }

    /// <inheritdoc/>
    public Task RescheduleAsync(string queue, string id, TimeSpan delay, CancellationToken cancellationToken = default) =>
        SendAsync(
        new Call(HttpMethod.Post, new Query(MessagePath(queue, id) + "/reschedule").Add("delay", delay).ToString()), cancellationToken);

    /// <inheritdoc/>
    public Task RescheduleAsync(string queue, string id, DateTimeOffset at, CancellationToken cancellationToken = default) =>
        SendAsync(
            new Call(HttpMethod.Post,
            new Query(MessagePath(queue, id) + "/reschedule").Add("at", at.ToString("O", CultureInfo.InvariantCulture)).ToString()),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<long> ReplayAsync(string queue, string? id = null, int? count = null, CancellationToken cancellationToken = default)
    {
        var path = new Query($"{QueuePath(DeadLettersOf(queue))}/replay").Add("id", id).Add("count", count);
        var answer = await SendAsync(new Call(HttpMethod.Post, path.ToString()), cancellationToken).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.ReplayResult).Replayed;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<QueueInfo> ListQueuesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? after = null;
        do
        {
            var path = new Query("/q").Add("after", after).Add("limit", 1000);
            var answer = await SendAsync(new Call(HttpMethod.Get, path.ToString()), cancellationToken).ConfigureAwait(false);
            var page = answer.Read(ClientJson.Default.QueuePage);
            foreach (var queue in page.Queues ?? throw Answer.NotOurs(null))
            {
                yield return queue;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    /// <inheritdoc/>
    public Task<QueueInfo?> GetQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        GetQueueAsync(queue, retry: null, cancellationToken);

    internal async Task<QueueInfo?> GetQueueAsync(string queue, RetryOptions? retry, CancellationToken cancellationToken)
    {
        var call = new Call(HttpMethod.Get, "/j/" + Query.Segment(queue)) { Retry = retry };
        var answer = await _http.SendAsync(call, orNotFound: true, cancellationToken).ConfigureAwait(false);
        return answer.Status == 404 ? null : answer.Read(ClientJson.Default.QueueInfo);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<KeyInfo> ListKeysAsync(
        string queue, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? after = null;
        do
        {
            var path = new Query(QueuePath(queue) + "/keys").Add("after", after).Add("limit", 1000);
            var answer = await SendAsync(new Call(HttpMethod.Get, path.ToString()), cancellationToken).ConfigureAwait(false);
            var page = answer.Read(ClientJson.Default.KeyPage);
            foreach (var key in page.Keys ?? throw Answer.NotOurs(null))
            {
                yield return key;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    /// <inheritdoc/>
    public async Task<long> PurgeAsync(string queue, CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Post, QueuePath(queue) + "/purge"), cancellationToken).ConfigureAwait(false))
            .Read(ClientJson.Default.PurgeResult).Purged;

    /// <inheritdoc/>
    public Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        SendAsync(new Call(HttpMethod.Delete, QueuePath(queue)), cancellationToken);

    /// <inheritdoc/>
    public async Task<QueueSettings> GetSettingsAsync(string queue, CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, QueuePath(queue) + "/settings"), cancellationToken).ConfigureAwait(false))
            .Read(ClientJson.Default.QueueSettings);

    /// <inheritdoc/>
    public async Task<QueueSettings> ChangeSettingsAsync(
        string queue, QueueSettingsChange change, CancellationToken cancellationToken = default)
    {
        var call = new Call(HttpMethod.Patch, QueuePath(queue) + "/settings")
        {
            Body = JsonSerializer.SerializeToUtf8Bytes(change, ClientJson.Default.QueueSettingsChange),
            ContentType = PutMessage.JsonType,
        };
        return (await SendAsync(call, cancellationToken).ConfigureAwait(false)).Read(ClientJson.Default.QueueSettings);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ConsumerInfo>> GetConsumersAsync(string queue, CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, QueuePath(queue) + "/consumers"), cancellationToken).ConfigureAwait(false))
            .Read(ClientJson.Default.WorkerList).Consumers;

    /// <inheritdoc/>
    public async Task<PresenceInfo> GetPresenceAsync(string queue, CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, QueuePath(queue) + "/presence"), cancellationToken).ConfigureAwait(false))
            .Read(ClientJson.Default.PresenceInfo);

    /// <inheritdoc/>
    public async Task<WorkerList> GetWorkersAsync(CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, "/w"), cancellationToken).ConfigureAwait(false)).Read(ClientJson.Default.WorkerList);

    /// <inheritdoc/>
    public Task RegisterWorkerAsync(string queue, string worker, CancellationToken cancellationToken = default) =>
        SendAsync(new Call(HttpMethod.Post, WorkerPath(queue, worker)), cancellationToken);

    /// <inheritdoc/>
    public Task ForgetWorkerAsync(string queue, string worker, CancellationToken cancellationToken = default) =>
        _http.SendAsync(new Call(HttpMethod.Delete, WorkerPath(queue, worker)), orNotFound: true, cancellationToken);

    /// <inheritdoc/>
    public async Task<NodeStats> GetStatsAsync(CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, "/stats"), cancellationToken).ConfigureAwait(false)).Read(ClientJson.Default.NodeStats);

    private static string WorkerPath(string queue, string worker) =>
        new Query("/w/" + Query.Segment(queue)).Add("worker", worker).ToString();

    private static string DeadLettersOf(string queue) => queue.EndsWith(".dead", StringComparison.Ordinal) ? queue : queue + ".dead";
}
