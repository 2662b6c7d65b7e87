using System.Text.Json;
using PushQueue.Client.Http;

namespace PushQueue.Client;

/// <summary>Settles leases. A message settles its own: <see cref="Message.AckAsync"/> and its like are the easier way.</summary>
public sealed partial class PushQueueClient
{
    private DirectLeases? _leases;

    private DirectLeases Leases => _leases ??= new DirectLeases(this);

    /// <inheritdoc/>
    public Task AckAsync(string queue, string id, string receipt, CancellationToken cancellationToken = default) =>
        SettleAsync(new Query(MessagePath(queue, id) + "/ack").Add("receipt", receipt), null, cancellationToken);

    /// <inheritdoc/>
    public Task ReleaseAsync(
        string queue, string id, string receipt, TimeSpan? delay = null, string? error = null,
        CancellationToken cancellationToken = default) =>
        SettleAsync(
            new Query(MessagePath(queue, id) + "/release").Add("receipt", receipt).Add("delay", delay).Add("error", Shortened(error)), null,
            cancellationToken);

    /// <inheritdoc/>
    public Task ReleaseUnstartedAsync(
        string queue, string id, string receipt, TimeSpan? delay = null, CancellationToken cancellationToken = default) =>
        SettleAsync(
            new Query(MessagePath(queue, id) + "/release").Add("receipt", receipt).Add("delay", delay).Add("unstarted", "true"), null,
            cancellationToken);

    /// <inheritdoc/>
    public Task DeadLetterAsync(
        string queue, string id, string receipt, string? error = null, CancellationToken cancellationToken = default) =>
        SettleAsync(
            new Query(MessagePath(queue, id) + "/release").Add("receipt", receipt).Add("deadLetter", "true")
                .Add("error", Shortened(error)),
            null,
            cancellationToken);

    /// <inheritdoc/>
    public Task TouchAsync(
        string queue, string id, string receipt, TimeSpan? timeToRun = null, CancellationToken cancellationToken = default) =>
        SettleAsync(new Query(MessagePath(queue, id) + "/touch").Add("receipt", receipt).Add("ttr", timeToRun), null, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> AckManyAsync(
        string queue, IEnumerable<Message> messages, CancellationToken cancellationToken = default)
    {
        var keys = messages.Select(message => new LeaseKey(message.Id, message.Receipt ?? "")).ToArray();
        var (results, _) = await SettleManyAsync(SettleManyPath(queue, "ack"), keys, null, cancellationToken).ConfigureAwait(false);
        return [.. results.Where(result => !result.Ok).Select(result => result.Id)];
    }

    /// <summary>One request for many leases. Also tells whether an earlier try of it may have been done.</summary>
    internal async Task<(SettleResult[] Results, bool Repeated)> SettleManyAsync(
        Query path, LeaseKey[] keys, RetryOptions? retry, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(LeasesCall(path, keys, retry), cancellationToken).ConfigureAwait(false);
        var results = answer.Read(ClientJson.Default.SettleResults).Results;
        return results is { } given && given.Length == keys.Length ? (given, answer.Repeated) : throw Answer.NotOurs(null);
    }

    /// <summary>Ends a consumer, wherever its stream is. The messages that it held go back; those that it had started count as failed
    /// attempts. False where the server knows no such consumer.</summary>
    internal async Task<bool> TryLeaveAsync(
        string root, string queue, string token, LeaseKey[] started, CancellationToken cancellationToken)
    {
        var call = LeasesCall(new Query(QueuePath(queue) + "/leave").Add("consumer", token), started, retry: null) with { Root = root };
        var answer = await _http.SendAsync(call, orNotFound: true, cancellationToken).ConfigureAwait(false);
        return answer.Status != 404 || answer.Repeated;
    }

    internal static Query SettleManyPath(string queue, string verb) => new($"{QueuePath(queue)}/{verb}");

    private static Call LeasesCall(Query path, LeaseKey[] keys, RetryOptions? retry) => new(HttpMethod.Post, path.ToString())
    {
        Body = JsonSerializer.SerializeToUtf8Bytes(keys, ClientJson.Default.LeaseKeyArray),
        ContentType = PutMessage.JsonType,
        Retry = retry,
    };

    /// <returns>True where it was done, now or by an earlier try of this call whose answer was lost; false where the lease is
    /// lost.</returns>
    internal async Task<bool> TrySettleAsync(Query path, RetryOptions? retry, CancellationToken cancellationToken)
    {
        try
        {
            await SettleAsync(path, retry, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (PushQueueException e) when (e.Type is ProblemTypes.LeaseLost or ProblemTypes.NotFound)
        {
            // The caller learns it from the result.
            return false;
        }
    }

    internal static Query SettlePath(Message message, string verb) =>
        new Query($"{MessagePath(message.Queue, message.Id)}/{verb}").Add("receipt", message.Receipt);

    internal static Query ReleasePath(Message message, ReleaseReason reason) =>
        SettlePath(message, "release")
            .Add("delay", reason.Delay)
            .Add("backoff", reason.Delay is null ? reason.Backoff : null)
            .Add("error", Shortened(reason.Error))
            .Add("unstarted", reason.Unstarted ? "true" : null)
            .Add("deadLetter", reason.DeadLetter ? "true" : null);

    /// <summary>As much of an error as the server keeps and as a request line has room for, without cutting a character.</summary>
    private static string? Shortened(string? error)
    {
        if (error is null)
        {
            return null;
        }

        var length = 0;
        var escapedLength = 0;
        foreach (var rune in error.EnumerateRunes())
        {
            escapedLength += rune.IsAscii ? 1 : rune.Utf8SequenceLength * 3;
            escapedLength += rune.IsAscii && !char.IsAsciiLetterOrDigit((char)rune.Value) ? 2 : 0;
            if (length + rune.Utf16SequenceLength > ErrorCharsMax || escapedLength > ErrorEscapedCharsMax)
            {
                break;
            }

            length += rune.Utf16SequenceLength;
        }

        return error[..length];
    }

    // As much as the server keeps.
    private const int ErrorCharsMax = 1000;

    // A request line has 8 KiB in most servers; the queue's name and the id may take 1.5 KiB of them.
    private const int ErrorEscapedCharsMax = 4096;

    private async Task SettleAsync(Query path, RetryOptions? retry, CancellationToken cancellationToken)
    {
        var answer = await _http.SendAsync(
            new Call(HttpMethod.Post, path.ToString()) { Retry = retry }, orNotFound: true, cancellationToken).ConfigureAwait(false);
        if (answer is { Status: 404, Repeated: false })
        {
            throw HttpCaller.Refusal(answer.Status, answer.ContentType, answer.Body);
        }
    }

    /// <summary>Messages that were leased by a request.</summary>
    private sealed class DirectLeases(PushQueueClient client) : ILeaseOwner
    {
        public Task<bool> AckAsync(Message message, CancellationToken cancellationToken) =>
            client.TrySettleAsync(SettlePath(message, "ack"), SettleRetry, cancellationToken);

        public Task<bool> ReleaseAsync(Message message, ReleaseReason reason, CancellationToken cancellationToken) =>
            client.TrySettleAsync(ReleasePath(message, reason), SettleRetry, cancellationToken);

        public Task<bool> TouchAsync(Message message, TimeSpan? timeToRun, CancellationToken cancellationToken) =>
            client.TrySettleAsync(SettlePath(message, "touch").Add("ttr", timeToRun), null, cancellationToken);
    }

    /// <summary>Work that is done is worth some patience: about a minute.</summary>
    internal static readonly RetryOptions SettleRetry = new() { Attempts = 17 };
}
