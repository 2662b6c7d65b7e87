using PushQueue.Queues;

namespace PushQueue.Delivery.Encoding;

/// <summary>
/// The messages of one round and the pages made of them: one per format in use, made by whichever thread needs it first.
/// </summary>
internal sealed class MessageBatch
{
    private readonly Lock _gate = new();
    private readonly PushedMessage[] _messages;
    private Made? _made;
    private Made? _madeOneByOne;
    private volatile Part? _parts;

    public MessageBatch(IReadOnlyList<Message> messages, string epoch, DateTimeOffset now)
    {
        _messages = new PushedMessage[messages.Count];
        for (var i = 0; i < _messages.Length; i++)
        {
            _messages[i] = new PushedMessage(messages[i], BodyKinds.Of(messages[i]), epoch, default, now);
        }
    }

    private MessageBatch(PushedMessage[] messages)
    {
        _messages = messages;
    }

    public int Count => _messages.Length;

    /// <summary>The last offset of the messages; 0 where they were not broadcast.</summary>
    public long LastOffset => _messages[^1].Message.Offset;

    /// <summary>The messages that match; null where none does. Consumers with equal filters share the result and its pages.</summary>
    /// <param name="filter">Null for all messages.</param>
    public MessageBatch? Matching(MessageFilter? filter)
    {
        if (filter is null)
        {
            return this;
        }

        for (var part = _parts; part is not null; part = part.Next)
        {
            if (part.Filter.Equals(filter))
            {
                return part.Batch;
            }
        }

        var matching = Array.FindAll(_messages, message => filter.Matches(message.Message.Headers));
        var batch = matching.Length == 0 ? null : matching.Length == _messages.Length ? this : new MessageBatch(matching);
        lock (_gate)
        {
            // Made twice where two threads need it first; both results are right.
            _parts = new Part(filter, batch, _parts);
        }

        return batch;
    }

    public EncodedPage PageFor(MessageFormat format) => Find(ref _made, format)?.Pages[0] ?? Make(ref _made, format, oneByOne: false)[0];

    /// <summary>All messages in one page, or a page for each.</summary>
    public EncodedPage[] PagesFor(MessageFormat format, bool oneByOne) => oneByOne
        ? Find(ref _madeOneByOne, format)?.Pages ?? Make(ref _madeOneByOne, format, oneByOne: true)
        : Find(ref _made, format)?.Pages ?? Make(ref _made, format, oneByOne: false);

    private static Made? Find(ref Made? first, MessageFormat format)
    {
        for (var made = Volatile.Read(ref first); made is not null; made = made.Next)
        {
            if (ReferenceEquals(made.Format, format))
            {
                return made;
            }
        }

        return null;
    }

    private EncodedPage[] Make(ref Made? first, MessageFormat format, bool oneByOne)
    {
        lock (_gate)
        {
            if (Find(ref first, format) is { } made)
            {
                return made.Pages;
            }

            var pages = oneByOne
                ? Array.ConvertAll(_messages, message => format.Encode([message]))
                : new[] { format.Encode(_messages) };
            Volatile.Write(ref first, new Made(format, pages, first));
            return pages;
        }
    }

    private sealed record Part(MessageFilter Filter, MessageBatch? Batch, Part? Next);

    private sealed record Made(MessageFormat Format, EncodedPage[] Pages, Made? Next);
}
