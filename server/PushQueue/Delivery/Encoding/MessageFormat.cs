using PushQueue.Queues;

namespace PushQueue.Delivery.Encoding;

/// <summary>
/// The form of messages on the wire of one kind of connection. Instances are shared by all connections of that kind, and pages are cached
/// per instance, so there is exactly one instance per form. A new transport or dialect brings its own.
/// </summary>
internal abstract class MessageFormat
{
    /// <summary>Written when a stream was idle; null for connections that have heartbeats of their own.</summary>
    public virtual EncodedPage? Heartbeat => null;

    public virtual EncodedPage Encode(ReadOnlySpan<PushedMessage> messages)
    {
        var writer = PageWriter.Rent();
        foreach (ref readonly var message in messages)
        {
            WriteMessage(writer, message);
        }

        var last = messages[^1];
        var page = Finish(writer, messages[0].Message.Offset, last.Message.Offset);
        if (last.Message.Offset > 0)
        {
            page.Reach(last.Epoch, last.Message.Offset);
        }

        writer.Return();
        return page;
    }

    public virtual EncodedPage EncodeGap(QueueName queue, in Gap gap)
    {
        var json = PageWriter.Rent();
        Envelope.WriteGap(json, queue, gap, IsOverMany ? "position"u8 : "cursor"u8);
        var page = EncodeEvent("gap"u8, json.From(0), gap.Cursor, gap.From, gap.To);
        page.Reach(gap.Cursor.Epoch, gap.Cursor.Offset);
        json.Return();
        return page;
    }

    /// <summary>The first page of a stream; null where there is nothing to say and no need to show that the stream stands.</summary>
    public virtual EncodedPage? EncodeOpening(QueueName queue, in Opening opening)
    {
        if (opening.Place is null && (opening.Cursor is null || !HasPositions))
        {
            return FirstBytes;
        }

        var json = PageWriter.Rent();
        Envelope.WriteOpening(json, queue, opening);
        var page = EncodeEvent("subscribed"u8, json.From(0), opening.Cursor);
        json.Return();
        return page;
    }

    /// <summary>
    /// Whether messages contain their offsets. Only then is the position sent at the beginning of a stream: bare bodies have no
    /// offsets, and their readers would take one more line for a message.
    /// </summary>
    public virtual bool HasPositions => true;

    /// <summary>
    /// Whether the stream is over many queues. Then <c>cursor</c> always names the position in all of them; that in one is <c>position</c>.
    /// </summary>
    public virtual bool IsOverMany => false;

    /// <summary>Whether the cursor of a message can be written in front of it, as a part of it.</summary>
    public virtual bool StampsMessages => false;

    /// <summary>Writes the cursor of a stream over many queues.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="cursor">The cursor.</param>
    /// <param name="ofNextMessage">It belongs to the message that follows; only where <see cref="StampsMessages"/>.</param>
    public virtual void WriteCheckpoint(PageWriter writer, string cursor, bool ofNextMessage)
    {
        var json = PageWriter.Rent();
        Envelope.WriteCheckpoint(json, cursor);
        WriteEvent(writer, "cursor"u8, json.From(0));
        json.Return();
    }

    /// <inheritdoc cref="WriteCheckpoint"/>
    public virtual EncodedPage EncodeCheckpoint(string cursor, bool ofNextMessage)
    {
        var writer = PageWriter.Rent();
        WriteCheckpoint(writer, cursor, ofNextMessage);
        var page = Finish(writer, 0, 0);
        writer.Return();
        return page;
    }

    /// <summary>The first page of a stream over many queues; null where there is nothing to say.</summary>
    public virtual EncodedPage? EncodeOpening(IReadOnlyList<QueueName> queues, string cursor)
    {
        if (!HasPositions)
        {
            return FirstBytes;
        }

        var writer = PageWriter.Rent();
        if (StampsMessages)
        {
            WriteCheckpoint(writer, cursor, ofNextMessage: true);
        }

        var json = PageWriter.Rent();
        Envelope.WriteOpening(json, queues, cursor);
        WriteEvent(writer, "subscribed"u8, json.From(0));
        json.Return();
        var page = Finish(writer, 0, 0);
        writer.Return();
        return page;
    }

    /// <summary>A queue has joined a stream over many.</summary>
    public virtual EncodedPage EncodeJoined(QueueName queue, Cursor position)
    {
        var json = PageWriter.Rent();
        Envelope.WriteJoined(json, queue, position);
        var page = EncodeEvent("subscribed"u8, json.From(0));
        json.Return();
        return page;
    }

    /// <summary>
    /// The first bytes of an HTTP response that has no message yet: proxies and middleware that wait for the first byte of a body then
    /// let the headers through. Null for other transports.
    /// </summary>
    protected virtual EncodedPage? FirstBytes => null;

    /// <summary>
    /// Where a client is whose filter has left out what came before; null for formats whose clients cannot tell where they are.
    /// </summary>
    public virtual EncodedPage? EncodePosition(QueueName queue, Cursor cursor)
    {
        if (!HasPositions)
        {
            return null;
        }

        if (IsOverMany)
        {
            // No bytes: the next cursor over all queues contains the position.
            var reached = new EncodedPage(default) { IsUnwritten = true };
            reached.Reach(cursor.Epoch, cursor.Offset);
            return reached;
        }

        var writer = PageWriter.Rent();
        WritePosition(writer, queue, cursor);
        var page = Finish(writer, 0, 0);
        writer.Return();
        return page;
    }

    /// <inheritdoc cref="EncodePosition"/>
    protected virtual void WritePosition(PageWriter writer, QueueName queue, Cursor cursor)
    {
        var json = PageWriter.Rent();
        Envelope.WritePosition(json, queue, cursor);
        WriteEvent(writer, "cursor"u8, json.From(0), cursor);
        json.Return();
    }

    /// <summary>A message that the consumer holds was cancelled.</summary>
    public virtual EncodedPage EncodeCancel(QueueName queue, MessageId id)
    {
        var json = PageWriter.Rent();
        Envelope.WriteCancel(json, queue, id);
        var page = EncodeEvent("cancel"u8, json.From(0));
        json.Return();
        return page;
    }

    /// <summary>The closing notice of a subscription, or of the whole connection where <paramref name="queue"/> is null.</summary>
    public virtual EncodedPage EncodeClose(QueueName? queue, CloseReason reason)
    {
        var reconnectMs = reason.NextReconnectMs();
        var json = PageWriter.Rent();
        Envelope.WriteClose(json, queue, reason, reconnectMs);
        var writer = PageWriter.Rent();
        WriteClose(writer, json.From(0), reconnectMs);
        json.Return();
        var page = Finish(writer, 0, 0);
        writer.Return();
        return page;
    }

    /// <summary>The event of the closing notice, for formats that have a field of their own for the time of the reconnect.</summary>
    public virtual void WriteClose(PageWriter writer, ReadOnlySpan<byte> json, int reconnectMs) => WriteEvent(writer, "close"u8, json);

    /// <summary>One event that is not a message: a JSON object on one line.</summary>
    public EncodedPage EncodeEvent(
        ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null, long firstOffset = 0, long lastOffset = 0)
    {
        var writer = PageWriter.Rent();
        WriteEvent(writer, name, json, cursor);
        var page = Finish(writer, firstOffset, lastOffset);
        writer.Return();
        return page;
    }

    public abstract void WriteMessage(PageWriter writer, in PushedMessage pushed);

    /// <param name="writer">Where to.</param>
    /// <param name="name">Of the event.</param>
    /// <param name="json">The event.</param>
    /// <param name="cursor">Where a client resumes that has seen it, for formats that say so outside the event.</param>
    public abstract void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null);

    /// <summary>Makes the page of what was written; a format that wraps pages or shares more than bytes overrides it.</summary>
    public virtual EncodedPage Finish(PageWriter writer, long firstOffset, long lastOffset) =>
        new(writer.ToArray(), firstOffset, lastOffset);
}
