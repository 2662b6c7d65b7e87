namespace PushQueue.Queues;

/// <summary>The outcome of an operation: a value, or an error with a sentence for the user. Expected failures are no exceptions.</summary>
internal readonly struct BrokerResult<T>
{
    private readonly T? _value;

    private BrokerResult(T? value, QueueError error, string? detail)
    {
        _value = value;
        Error = error;
        Detail = detail;
    }

    public QueueError Error { get; }

    /// <summary>A sentence that says what is wrong and what to do; null for the standard sentence of the error.</summary>
    public string? Detail { get; }

    public bool Ok => Error == QueueError.None;

    /// <exception cref="InvalidOperationException">The operation failed.</exception>
    public T Value => Ok ? _value! : throw new InvalidOperationException($"The operation failed with {Error}: {Detail}");

    /// <summary>For interface types, which conversions cannot start from.</summary>
    public static BrokerResult<T> Success(T value) => new(value, QueueError.None, null);

    public static implicit operator BrokerResult<T>(T value) => new(value, QueueError.None, null);

    public static implicit operator BrokerResult<T>(BrokerFailure failure) => new(default, failure.Error, failure.Detail);

    /// <summary>The same failure as the result of another operation.</summary>
    public BrokerFailure Failure => new(Error, Detail);
}

/// <summary>An error that becomes a <see cref="BrokerResult{T}"/> of any kind.</summary>
internal readonly record struct BrokerFailure(QueueError Error, string? Detail = null);

/// <summary>The outcome of a put that waited for the end of its message.</summary>
/// <param name="Put">The put itself.</param>
/// <param name="End">How the message ended; null where it had not within the time.</param>
/// <param name="Gone">The put was a duplicate of a message that had ended before; how is not known any more.</param>
internal readonly record struct AwaitedPut(PutOutcome Put, FinishedMessage? End, bool Gone = false);

/// <summary>The outcome of one put.</summary>
/// <param name="Id">The message's id.</param>
/// <param name="Duplicate">True where the id was live or within the dedup window, and nothing was stored.</param>
/// <param name="Copies">Into how many subscribers of the queue the message was also put.</param>
internal readonly record struct PutOutcome(MessageId Id, bool Duplicate, int Copies = 0);
