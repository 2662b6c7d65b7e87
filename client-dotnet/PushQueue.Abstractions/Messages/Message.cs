using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PushQueue.Client.Wire;

namespace PushQueue.Client;

/// <summary>A message as it came from the server.</summary>
public sealed class Message
{
    private CancellationTokenSource? _ended;
    private int _lost;
    private int _use;
    private bool _interrupted;

    internal Message()
    {
    }

    /// <summary>The queue that it came from.</summary>
    public string Queue { get; internal set; } = "";

    /// <summary>Unique among the queue's live messages.</summary>
    public string Id { get; internal set; } = "";

    /// <summary>The body, byte for byte as it was put; of a JSON string the text that it holds, where messages come in envelopes.</summary>
    public ReadOnlyMemory<byte> Body { get; internal set; }

    /// <summary>The content type that it was put with.</summary>
    public string ContentType { get; internal set; } = "application/octet-stream";

    /// <summary>Its number in the order of broadcast, from 1; 0 where it was not broadcast.</summary>
    public long Offset { get; internal set; }

    /// <summary>The number of deliveries, including this one; 1 or more.</summary>
    public int Attempt { get; internal set; } = 1;

    /// <summary>0 to 9; higher goes first.</summary>
    public int Priority { get; internal set; }

    /// <summary>The key that it was put with; null without one.</summary>
    public string? Key { get; internal set; }

    /// <summary>The headers that it was put with, by their names in lower case; empty without any.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; internal set; } =
        System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Names the lease; null where the message is not leased to this program.</summary>
    public string? Receipt { get; internal set; }

    /// <summary>When it was put, by the server's clock; null on a stream where it did not wait for a second.</summary>
    public DateTimeOffset? EnqueuedAt { get; internal set; }

    /// <summary>When the lease ends, by the server's clock.</summary>
    public DateTimeOffset? LeasedUntil { get; internal set; }

    /// <summary>More about a message that was looked at where it rests; null otherwise.</summary>
    public RestingMessage? Resting { get; internal set; }

    /// <summary>
    /// The cursor with which a stream resumes behind this message; null where it was not broadcast. On a stream over many queues it is one
    /// cursor over all of them, which may stand before this message: messages behind it then come again, with the same
    /// <see cref="Offset"/>.
    /// </summary>
    public string? Cursor => !HasCursor ? null
        : IsOfMany ? Epoch!
        : string.Create(CultureInfo.InvariantCulture, $"{Epoch}.{Offset}");

    /// <summary>The body as text.</summary>
    public string Text => Encoding.UTF8.GetString(Body.Span);

    /// <summary>Cancelled when the message is no longer this program's: it was cancelled, or its lease was lost. For a handler also when
    /// its time is over. The work may stop.</summary>
    public CancellationToken Ended
    {
        get
        {
            var source = Volatile.Read(ref _ended)
                ?? Interlocked.CompareExchange(ref _ended, new CancellationTokenSource(), null) ?? _ended!;
            if ((IsLost || Volatile.Read(ref _interrupted)) && !source.IsCancellationRequested)
            {
                source.Cancel();
            }

            return source.Token;
        }
    }

    /// <summary>The epoch of <see cref="Offset"/>; the whole cursor where <see cref="IsOfMany"/>.</summary>
    internal string? Epoch { get; set; }

    /// <summary>Whether <see cref="Cursor"/> has a value, which is made only when it is read.</summary>
    internal bool HasCursor => Epoch is not null && Offset != 0;

    /// <summary>It came on a stream over many queues.</summary>
    internal bool IsOfMany { get; set; }

    /// <summary>Whether the body is text, which <see cref="Read{T}(JsonTypeInfo{T})"/> gives to a caller that asks for a string.</summary>
    private bool IsText => ContentType.StartsWith("text/", StringComparison.OrdinalIgnoreCase);

    internal ILeaseOwner? Owner { get; set; }

    /// <summary>Whether the program has acked or released it.</summary>
    internal bool Settled { get; set; }

    /// <summary>Whether it is no longer this program's.</summary>
    internal bool IsLost => Volatile.Read(ref _lost) == 1;

    /// <summary>The exception of the last failed <see cref="Read{T}(JsonTypeInfo{T})"/>.</summary>
    internal PushQueueException? BadBody { get; private set; }

    /// <summary>The body, read as JSON.</summary>
    /// <exception cref="PushQueueException"><see cref="ProblemTypes.BadBody"/>: it is not that.</exception>
    public T? Read<T>(JsonTypeInfo<T> type)
    {
        if (IsText && typeof(T) == typeof(string))
        {
            return (T)(object)Text;
        }

        try
        {
            return JsonSerializer.Deserialize(Body.Span, type);
        }
        catch (JsonException) when (IsText && TryReadString(type, out var value))
        {
            return value;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is how the reader reports half of a surrogate pair.
            throw NotA<T>(e.Message, e);
        }
    }

    /// <summary>The body, read as JSON with names in camel case.</summary>
    /// <exception cref="PushQueueException"><see cref="ProblemTypes.BadBody"/>: it is not that.</exception>
    [RequiresUnreferencedCode(ReflectedJson.Warning)]
    [RequiresDynamicCode(ReflectedJson.Warning)]
    public T? Read<T>() => Read(ReflectedJson.TypeOf<T>());

    /// <summary>Done with it. Repeated until the server has answered, for up to a minute.</summary>
    /// <returns>False where the lease was lost meanwhile: the message comes, or came, again; the work should be dropped.</returns>
    public Task<bool> AckAsync(CancellationToken cancellationToken = default) => LeaseOwner().AckAsync(this, cancellationToken);

    /// <summary>Gives it back, which counts as a failed attempt.</summary>
    /// <param name="delay">Ready again after this; null for what the queue's settings say.</param>
    /// <param name="error">Why; its first 1000 characters are kept with the message.</param>
    /// <param name="cancellationToken">Ends the call; whether the message was given back is then unknown.</param>
    /// <returns>False where the lease was lost meanwhile.</returns>
    public Task<bool> ReleaseAsync(TimeSpan? delay = null, string? error = null, CancellationToken cancellationToken = default) =>
        LeaseOwner().ReleaseAsync(this, new ReleaseReason(delay, error, Unstarted: false), cancellationToken);

    /// <summary>Gives it back without having begun to work on it, which does not count as a failed attempt.</summary>
    /// <param name="delay">Ready again after this; null for at once.</param>
    /// <param name="cancellationToken">Ends the call; whether the message was given back is then unknown.</param>
    /// <returns>False where the lease was lost meanwhile.</returns>
    public Task<bool> ReleaseUnstartedAsync(TimeSpan? delay = null, CancellationToken cancellationToken = default) =>
        LeaseOwner().ReleaseAsync(this, new ReleaseReason(delay, Error: null, Unstarted: true), cancellationToken);

    /// <summary>Gives it back as a message that no attempt can do: it goes to the dead-letter queue at once, with the reason
    /// <c>rejected</c>, or is dropped where the queue keeps no dead letters.</summary>
    /// <param name="error">Why; its first 1000 characters are kept with the message.</param>
    /// <param name="cancellationToken">Ends the call; whether the message was given back is then unknown.</param>
    /// <returns>False where the lease was lost meanwhile.</returns>
    public Task<bool> DeadLetterAsync(string? error = null, CancellationToken cancellationToken = default) =>
        LeaseOwner().ReleaseAsync(this, new ReleaseReason(null, error, Unstarted: false, DeadLetter: true), cancellationToken);

    /// <summary>Extends the lease.</summary>
    /// <param name="timeToRun">It then ends after this; null for what the queue's settings say.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>False where the lease was lost meanwhile.</returns>
    public Task<bool> TouchAsync(TimeSpan? timeToRun = null, CancellationToken cancellationToken = default) =>
        LeaseOwner().TouchAsync(this, timeToRun, cancellationToken);

    /// <summary>Gives it back as a failed attempt, with a wait where neither the program, the message nor the queue has one.</summary>
    internal Task<bool> ReleaseFailedAsync(TimeSpan? delay, string? backoff, string error) =>
        LeaseOwner().ReleaseAsync(this, new ReleaseReason(delay, error, Unstarted: false, backoff), CancellationToken.None);

    /// <summary>The exception for a body that is something else.</summary>
    internal PushQueueException NotA<T>(string reason, Exception? cause = null) => BadBody = new PushQueueException(
        ProblemTypes.BadBody, $"The body of message '{Id}' of '{Queue}' cannot be read as {typeof(T).Name}: {reason}",
        innerException: cause);

    /// <summary>Acks a message of a stream. The observer learns how it ends.</summary>
    internal void Ack(IAckObserver observer) => ((IStreamLeaseOwner)LeaseOwner()).Ack(this, observer);

    /// <summary>Whether the program has got it to work on.</summary>
    internal bool IsStarted => Volatile.Read(ref _use) == Use.Started;

    /// <summary>The program gets it now. False where it went back, or was lost, before.</summary>
    internal bool TryStart() => Interlocked.CompareExchange(ref _use, Use.Started, Use.None) == Use.None;

    /// <summary>The program will never get it. False where it has it already.</summary>
    internal bool TryDrop() => Interlocked.CompareExchange(ref _use, Use.Dropped, Use.None) == Use.None;

    /// <summary>The worker that got it has not begun.</summary>
    internal void Unstart() => Volatile.Write(ref _use, Use.None);

    /// <summary>Notifies the worker of the message that it should stop.</summary>
    internal void End()
    {
        _ = TryDrop();
        if (Interlocked.Exchange(ref _lost, 1) == 0)
        {
            CancelEnded();
        }
    }

    /// <summary>The handler should stop, though the message is still this program's.</summary>
    internal void Interrupt()
    {
        Volatile.Write(ref _interrupted, true);
        Interlocked.MemoryBarrier();
        CancelEnded();
    }

    private void CancelEnded()
    {
        if (Volatile.Read(ref _ended) is { } source)
        {
            // Callbacks of the program run elsewhere; their exceptions must not end the stream.
            _ = Task.Run(source.Cancel).ContinueWith(static task => task.Exception, TaskScheduler.Default);
        }
    }

    /// <summary>A value that JSON writes as a string, such as a time.</summary>
    private bool TryReadString<T>(JsonTypeInfo<T> type, out T? value)
    {
        try
        {
            value = JsonSerializer.Deserialize($"\"{JsonEncodedText.Encode(Text)}\"", type);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Neither; the caller tells what the body itself is not.
            value = default;
            return false;
        }
    }

    private static class Use
    {
        public const int None = 0;
        public const int Started = 1;
        public const int Dropped = 2;
    }

    private ILeaseOwner LeaseOwner() => Receipt is not null && Owner is { } owner
        ? owner
        : throw new InvalidOperationException(
            "The message is not leased: lease it, or consume with AckMode.Manual, to ack, release or touch it.");
}
