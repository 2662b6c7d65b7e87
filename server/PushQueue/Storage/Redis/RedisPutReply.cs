using System.Globalization;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>The answer of Scripts/Put.lua.</summary>
/// <param name="queue">The queue of the put.</param>
/// <param name="messages">The messages of the put.</param>
/// <param name="reply">The answer.</param>
internal readonly struct RedisPutReply(QueueName queue, IReadOnlyList<NewMessage> messages, RedisValue[] reply)
{
    /// <summary>The control of a put that lacks keys of subscribers, on a Redis Cluster.</summary>
    public const int KeysMissing = -2;

    private const int Duplicate = -1;
    private const int KeyTaken = -2;
    private const int TooManyMessages = -3;
    private const int TooManyCopies = -5;
    private const int NotTried = -6;

    // Control and the place of the message to blame; then a code per message.
    private const int Head = 2;

    /// <summary>Whether all messages were refused, because of one of them.</summary>
    private bool IsRefused => (long)reply[1] > 0;

    /// <summary>Whether the put brought in something else than codes: copies, or follow-up work of subscribers.</summary>
    public bool HasCopies => reply.Length > Head + (IsRefused ? 1 : messages.Count);

    /// <summary>Whether the queue's messages go to history although nobody listens.</summary>
    public bool FeedsHistory => !IsRefused && HasCopies && (long)reply[Head + messages.Count] == 1;

    /// <summary>The work that the subscribers leave to this node: name and control of each.</summary>
    public IEnumerable<(QueueName Subscriber, long Control)> FollowUps
    {
        get
        {
            var values = reply;
            var from = IsRefused ? Head + 1 : Head + 1 + (2 * messages.Count);
            return Enumerable.Range(0, Math.Max(0, values.Length - from) / 2)
                .Select(index => (QueueName.Parse(values[from + (2 * index)]!), (long)values[from + (2 * index) + 1]));
        }
    }

    /// <summary>How many of the messages have an outcome; the others were not tried, because these made many copies.</summary>
    public int Tried
    {
        get
        {
            var tried = messages.Count;
            while (HasCopies && !IsRefused && reply[Head + tried - 1].TryParse(out long code) && code == NotTried)
            {
                tried--;
            }

            return tried;
        }
    }

    /// <summary>The failure of all; null where each message has an outcome of its own.</summary>
    public BrokerFailure? Refusal
    {
        get
        {
            if (!IsRefused)
            {
                return null;
            }

            var place = (int)reply[1];
            var failure = Outcome(messages[place - 1], reply[Head], copies: 0).Failure;
            return failure with { Detail = $"{failure.Detail} (message {place} of the batch; nothing was stored)" };
        }
    }

    public BrokerResult<PutOutcome> this[int index] =>
        Outcome(messages[index], reply[Head + index], HasCopies ? (int)reply[Head + messages.Count + 1 + index] : 0);

    /// <summary>The names in the field fed, as Scripts/Part.Feeds.lua writes it.</summary>
    public static IEnumerable<QueueName> SubscribersIn(RedisValue fed) =>
        ((string)fed!).Split('\u001C').Select(static subscriber => QueueName.Parse(subscriber.Split('\u001D')[0]));

    private BrokerResult<PutOutcome> Outcome(NewMessage message, RedisValue code, int copies)
    {
        if (code.TryParse(out long number))
        {
            return Outcome(queue, message, number, copies);
        }

        // A limit of a subscriber: the code and its name.
        var text = (string)code!;
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return Outcome(QueueName.Parse(text[(space + 1)..]), message, long.Parse(text[..space], CultureInfo.InvariantCulture), copies);
    }

    private static BrokerResult<PutOutcome> Outcome(QueueName queue, NewMessage message, long code, int copies) => code switch
    {
        > 0 => new PutOutcome(MessageId.FromNumber(code), Duplicate: false, copies),
        0 => new PutOutcome(message.Id!.Value, Duplicate: false, copies),
        Duplicate => new PutOutcome(message.Id!.Value, Duplicate: true),
        KeyTaken => new BrokerFailure(
            QueueError.UniqueKeyTaken, $"A message with the unique key '{message.UniqueKey}' still waits in queue '{queue}'."),
        TooManyCopies => QueueSubscriptions.TooManyCopies(queue),
        TooManyMessages => new BrokerFailure(
            QueueError.QueueFull, $"Queue '{queue}' has reached its maxMessages; try again after some messages were taken."),
        _ => new BrokerFailure(QueueError.QueueFull, $"Queue '{queue}' has reached its maxBytes; try again after some messages were "
            + "taken."),
    };
}
