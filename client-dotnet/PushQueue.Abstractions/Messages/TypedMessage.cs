using System.Text.Json.Serialization.Metadata;

namespace PushQueue.Client;

/// <summary>A message whose body is one JSON value.</summary>
/// <typeparam name="T">The type of the value.</typeparam>
public sealed class Message<T>
{
    private readonly JsonTypeInfo<T> _type;
    private T? _value;
    private bool _read;

    internal Message(Message raw, JsonTypeInfo<T> type)
    {
        Raw = raw;
        _type = type;
    }

    /// <summary>The message itself.</summary>
    public Message Raw { get; }

    /// <summary>Unique among the queue's live messages.</summary>
    public string Id => Raw.Id;

    /// <summary>The body; read at the first use, so that one broken message does not end a stream.</summary>
    /// <exception cref="PushQueueException"><see cref="ProblemTypes.BadBody"/>: it is not a <typeparamref name="T"/>.</exception>
    public T? Value
    {
        get
        {
            if (!_read)
            {
                _value = Raw.Read(_type);
                _read = true;
            }

            return _value;
        }
    }

    /// <inheritdoc cref="Message.AckAsync"/>
    public Task<bool> AckAsync(CancellationToken cancellationToken = default) => Raw.AckAsync(cancellationToken);

    /// <inheritdoc cref="Message.ReleaseAsync"/>
    public Task<bool> ReleaseAsync(TimeSpan? delay = null, string? error = null, CancellationToken cancellationToken = default) =>
        Raw.ReleaseAsync(delay, error, cancellationToken);

    /// <inheritdoc cref="Message.DeadLetterAsync"/>
    public Task<bool> DeadLetterAsync(string? error = null, CancellationToken cancellationToken = default) =>
        Raw.DeadLetterAsync(error, cancellationToken);

    /// <inheritdoc cref="Message.ReleaseUnstartedAsync"/>
    public Task<bool> ReleaseUnstartedAsync(TimeSpan? delay = null, CancellationToken cancellationToken = default) =>
        Raw.ReleaseUnstartedAsync(delay, cancellationToken);
}
