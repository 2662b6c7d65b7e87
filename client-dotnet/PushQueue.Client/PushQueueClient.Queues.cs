using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using PushQueue.Client.Http;

namespace PushQueue.Client;

/// <summary>Messages where they rest, queues, settings and the node.</summary>
public sealed partial class PushQueueClient
{
    /// <summary>Looks at a queue's messages without taking them, in the order in which they would be given out.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="state"><c>ready</c>, <c>delayed</c>, <c>leased</c> or <c>dead</c>.</param>
    /// <param name="pageSize">How many are asked for at once; 1 to 1000.</param>
    /// <param name="cancellationToken">Ends it.</param>
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

    /// <summary>Looks at one message; null where it is not live.</summary>
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

    /// <summary>Cancels a message in whatever state it is.</summary>
    /// <returns>False where there is no such message any more.</returns>
    public async Task<bool> CancelAsync(string queue, string id, CancellationToken cancellationToken = default)
    {
        var answer = await _http.SendAsync(
            new Call(HttpMethod.Delete, MessagePath(queue, id)), orNotFound: true, cancellationToken).ConfigureAwait(false);
        return answer.Status != 404 || answer.Repeated;
    }

    /// <summary>Has a message become available after <paramref name="delay"/> from now.</summary>
    public Task RescheduleAsync(string queue, string id, TimeSpan delay, CancellationToken cancellationToken = default) =>
        SendAsync(
        new Call(HttpMethod.Post, new Query(MessagePath(queue, id) + "/reschedule").Add("delay", delay).ToString()), cancellationToken);

    /// <summary>Has a message become available at that time, by the server's clock.</summary>
    public Task RescheduleAsync(string queue, string id, DateTimeOffset at, CancellationToken cancellationToken = default) =>
        SendAsync(
            new Call(HttpMethod.Post,
            new Query(MessagePath(queue, id) + "/reschedule").Add("at", at.ToString("O", CultureInfo.InvariantCulture)).ToString()),
            cancellationToken);

    /// <summary>Puts dead letters back into the queue that they came from.</summary>
    /// <param name="queue">The queue, or its dead-letter queue.</param>
    /// <param name="id">One of them; null for all.</param>
    /// <param name="count">At most so many; null for all.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>How many went back.</returns>
    public async Task<long> ReplayAsync(string queue, string? id = null, int? count = null, CancellationToken cancellationToken = default)
    {
        var path = new Query($"{QueuePath(DeadLettersOf(queue))}/replay").Add("id", id).Add("count", count);
        var answer = await SendAsync(new Call(HttpMethod.Post, path.ToString()), cancellationToken).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.ReplayResult).Replayed;
    }

    /// <summary>All queues, in the order of their names.</summary>
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

    /// <summary>One queue; null where it does not exist.</summary>
    public Task<QueueInfo?> GetQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        GetQueueAsync(queue, retry: null, cancellationToken);

    internal async Task<QueueInfo?> GetQueueAsync(string queue, RetryOptions? retry, CancellationToken cancellationToken)
    {
        var call = new Call(HttpMethod.Get, "/j/" + Query.Segment(queue)) { Retry = retry };
        var answer = await _http.SendAsync(call, orNotFound: true, cancellationToken).ConfigureAwait(false);
        return answer.Status == 404 ? null : answer.Read(ClientJson.Default.QueueInfo);
    }

    /// <summary>Empties a queue, which stays with its settings, history and consumers.</summary>
    /// <returns>How many messages are gone.</returns>
    public async Task<long> PurgeAsync(string queue, CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Post, QueuePath(queue) + "/purge"), cancellationToken).ConfigureAwait(false))
            .Read(ClientJson.Default.PurgeResult).Purged;

    /// <summary>Deletes a queue: its messages, history and settings are gone, and its streams end.</summary>
    public Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default) =>
        SendAsync(new Call(HttpMethod.Delete, QueuePath(queue)), cancellationToken);

    /// <summary>A queue's settings.</summary>
    public async Task<QueueSettings> GetSettingsAsync(string queue, CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, QueuePath(queue) + "/settings"), cancellationToken).ConfigureAwait(false))
            .Read(ClientJson.Default.QueueSettings);

    /// <summary>Changes some of a queue's settings, and makes the queue where it does not exist.</summary>
    /// <returns>All its settings.</returns>
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

    /// <summary>The consumers of a queue; where nodes share their queues over Redis, those of all nodes.</summary>
    public async Task<IReadOnlyList<ConsumerInfo>> GetConsumersAsync(string queue, CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, QueuePath(queue) + "/consumers"), cancellationToken).ConfigureAwait(false))
            .Read(ClientJson.Default.WorkerList).Consumers;

    /// <summary>The presence of a queue: its consumers, for every client that may listen to it.</summary>
    public async Task<PresenceInfo> GetPresenceAsync(string queue, CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, QueuePath(queue) + "/presence"), cancellationToken).ConfigureAwait(false))
            .Read(ClientJson.Default.PresenceInfo);

    /// <summary>The workers, and the consumers of all queues; where nodes share their queues over Redis, those of all nodes.</summary>
    public async Task<WorkerList> GetWorkersAsync(CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, "/w"), cancellationToken).ConfigureAwait(false)).Read(ClientJson.Default.WorkerList);

    /// <summary>Says that a worker is there.</summary>
    public Task RegisterWorkerAsync(string queue, string worker, CancellationToken cancellationToken = default) =>
        SendAsync(new Call(HttpMethod.Post, WorkerPath(queue, worker)), cancellationToken);

    /// <summary>Says that a worker has gone.</summary>
    public Task ForgetWorkerAsync(string queue, string worker, CancellationToken cancellationToken = default) =>
        _http.SendAsync(new Call(HttpMethod.Delete, WorkerPath(queue, worker)), orNotFound: true, cancellationToken);

    /// <summary>The node that answers, and the sums over its queues.</summary>
    public async Task<NodeStats> GetStatsAsync(CancellationToken cancellationToken = default) =>
        (await SendAsync(new Call(HttpMethod.Get, "/stats"), cancellationToken).ConfigureAwait(false)).Read(ClientJson.Default.NodeStats);

    private static string WorkerPath(string queue, string worker) =>
        new Query("/w/" + Query.Segment(queue)).Add("worker", worker).ToString();

    private static string DeadLettersOf(string queue) => queue.EndsWith(".dead", StringComparison.Ordinal) ? queue : queue + ".dead";
}
