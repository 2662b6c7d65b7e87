using System.Text.Json;
using PushQueue.Client;
using PushQueue.Delivery.Encoding;
using PushQueue.Transports;
using PushQueue.Transports.Json;

namespace PushQueue.InProcess;

/// <summary>Messages of the store as the program gets them. The bodies are shared, never copied.</summary>
internal static class MessageMapping
{
    public static Message Taken(Queues.Message message) => new()
    {
        Queue = message.Queue.Value,
        Id = message.Id.ToString(),
        Body = message.Body,
        ContentType = message.ContentType,
        Attempt = Math.Max(1, message.Attempt),
        Priority = message.Priority,
        EnqueuedAt = message.EnqueuedAt,
        Key = message.Key,
        Headers = Headers(message.Headers),
    };

    public static Message Leased(Queues.Lease lease, ILeaseOwner owner)
    {
        var message = Taken(lease.Message);
        message.Receipt = lease.Receipt.ToString();
        message.LeasedUntil = lease.Until;
        message.Owner = owner;
        return message;
    }

    /// <summary>A message of a stream.</summary>
    /// <param name="pushed">The message.</param>
    /// <param name="owner">Settles its lease.</param>
    public static Message Pushed(in PushedMessage pushed, ILeaseOwner owner)
    {
        var message = Taken(pushed.Message);
        message.Offset = pushed.Message.Offset;
        message.Epoch = pushed.Message.Offset > 0 && pushed.Epoch.Length > 0 ? pushed.Epoch : null;
        message.EnqueuedAt = pushed.Waited ? pushed.Message.EnqueuedAt : null;
        if (!pushed.Receipt.IsNone)
        {
            message.Receipt = pushed.Receipt.ToString();
            message.Owner = owner;
        }

        return message;
    }

    /// <summary>A message that was looked at where it rests.</summary>
    public static Message Resting(Queues.Message message, Queues.MessageState? state)
    {
        var resting = Taken(message);
        resting.Offset = message.Offset;
        resting.Attempt = Math.Max(1, message.Attempt);
        resting.LeasedUntil = message.LeasedUntil;
        resting.Resting = new RestingMessage
        {
            State = MessageStates.NameOf(state),
            AvailableAt = state == Queues.MessageState.Delayed ? message.AvailableAt : null,
            ExpiresAt = message.ExpiresAt,
            Unique = message.UniqueKey,
            LastError = message.LastError,
            LastWorker = message.LastWorker,
            DeadLetter = message.DeadLetter is { } dead
                ? new DeadLetter(dead.Source.Value, dead.Reason, dead.Attempts, dead.At)
                : null,
        };
        return resting;
    }

    private static IReadOnlyDictionary<string, string> Headers(Queues.MessageHeaders? headers)
    {
        if (headers is null)
        {
            return System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;
        }

        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var header in headers)
        {
            read[header.NameText] = header.ValueText;
        }

        return read;
    }

    /// <summary>A consumer's description of itself.</summary>
    public static JsonElement? Who(RawJson? who)
    {
        if (who is not { Utf8: var json })
        {
            return null;
        }

        var reader = new Utf8JsonReader(json.Span, JsonBody.ReaderOptions);
        return JsonElement.ParseValue(ref reader);
    }
}
