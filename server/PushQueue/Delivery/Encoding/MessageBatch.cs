using PushQueue.Queues;

namespace PushQueue.Delivery.Encoding;

/// <summary>
/// The messages of one round and the pages made of them: one per format in use, made by whichever thread needs it first.
/// </summary>
internal sealed class MessageBatch
{
    private readonly Lock _gate = new();
    private readonly PushedMessage[] _messages;
    private volatile Made? _made;

    public MessageBatch(IReadOnlyList<Message> messages, string epoch, DateTimeOffset now)
    {
        _messages = new PushedMessage[messages.Count];
        for (var i = 0; i < _messages.Length; i++)
        {
            _messages[i] = new PushedMessage(messages[i], BodyKinds.Of(messages[i]), epoch, default, now);
        }
    }

    public int Count => _messages.Length;

    public EncodedPage PageFor(MessageFormat format) => Find(format) ?? Make(format);

    private EncodedPage? Find(MessageFormat format)
    {
        for (var made = _made; made is not null; made = made.Next)
        {
            if (ReferenceEquals(made.Format, format))
            {
                return made.Page;
            }
        }

        return null;
    }

    private EncodedPage Make(MessageFormat format)
    {
        lock (_gate)
        {
            if (Find(format) is { } page)
            {
                return page;
            }

            page = format.Encode(_messages);
            _made = new Made(format, page, _made);
            return page;
        }
    }

    private sealed record Made(MessageFormat Format, EncodedPage Page, Made? Next);
}
