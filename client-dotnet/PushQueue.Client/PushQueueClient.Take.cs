using System.Globalization;
using System.Text.Json;
using PushQueue.Client.Http;
using PushQueue.Client.Wire;

namespace PushQueue.Client;

/// <summary>Take and lease.</summary>
public sealed partial class PushQueueClient
{
    /// <inheritdoc/>
    public Task<Message?> TakeAsync(
        string queue, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default) =>
        TakeOneAsync(queue, wait, timeToRun: null, worker, where, cancellationToken);

    /// <inheritdoc/>
    public Task<Message?> LeaseAsync(
        string queue, TimeSpan timeToRun, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default) =>
        TakeOneAsync(queue, wait, timeToRun, worker, where, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Message>> TakeManyAsync(
        string queue, int count, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default) =>
        TakeManyAsync(queue, count, wait, timeToRun: null, worker, where, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Message>> LeaseManyAsync(
        string queue, int count, TimeSpan timeToRun, TimeSpan? wait = null, string? worker = null, IReadOnlyList<string>? where = null,
        CancellationToken cancellationToken = default) =>
        TakeManyAsync(queue, count, wait, timeToRun, worker, where, cancellationToken);

    private async Task<Message?> TakeOneAsync(
        string queue, TimeSpan? wait, TimeSpan? timeToRun, string? worker, IReadOnlyList<string>? where,
        CancellationToken cancellationToken)
    {
        var path = new Query(QueuePath(queue)).Add("wait", wait).Add("ttr", timeToRun).Add("worker", worker).AddWhere(where);
        var answer = await SendAsync(TakeCall(path, wait, timeToRun), cancellationToken).ConfigureAwait(false);
        if (answer.Status == 204)
        {
            return null;
        }

        var id = answer.Header("PushQueue-Id") ?? throw Answer.NotOurs(null);
        return new Message
        {
            Queue = queue,
            Id = Uri.UnescapeDataString(id),
            Body = answer.Body,
            ContentType = answer.ContentType ?? PutMessage.BytesType,
            Attempt = int.TryParse(answer.Header("PushQueue-Attempt"), CultureInfo.InvariantCulture, out var attempt) ? attempt : 1,
            Priority = int.TryParse(answer.Header("PushQueue-Priority"), CultureInfo.InvariantCulture, out var priority) ? priority : 0,
            Key = answer.Header("PushQueue-Key") is { } key ? Uri.UnescapeDataString(key) : null,
            Headers = MessageHeaders.Of(answer.Headers),
            EnqueuedAt = Time(answer.Header("PushQueue-Enqueued-At")),
            Receipt = answer.Header("PushQueue-Receipt"),
            LeasedUntil = Time(answer.Header("PushQueue-Leased-Until")),
            Owner = Leases,
        };
    }

    private async Task<IReadOnlyList<Message>> TakeManyAsync(
        string queue, int count, TimeSpan? wait, TimeSpan? timeToRun, string? worker, IReadOnlyList<string>? where,
        CancellationToken cancellationToken)
    {
        var path = new Query(QueuePath(queue) + "/batch")
            .Add("count", count).Add("wait", wait).Add("ttr", timeToRun).Add("worker", worker).AddWhere(where);
        var answer = await SendAsync(TakeCall(path, wait, timeToRun), cancellationToken).ConfigureAwait(false);
        var messages = ReadMessages(answer).Messages;
        messages.ForEach(message => message.Owner = Leases);
        return messages;
    }

    /// <summary>A take whose answer was lost has taken a message; asking again would hide that.</summary>
    private static Call TakeCall(Query path, TimeSpan? wait, TimeSpan? timeToRun) =>
        new(HttpMethod.Get, path.ToString()) { Wait = wait ?? TimeSpan.Zero, Repeatable = timeToRun is not null };

    private static (List<Message> Messages, string? Next) ReadMessages(Answer answer)
    {
        try
        {
            return EnvelopeReader.ReadMany(answer.Body);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Answer.NotOurs(e);
        }
    }

    private static DateTimeOffset? Time(string? header) =>
        DateTimeOffset.TryParse(header, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
