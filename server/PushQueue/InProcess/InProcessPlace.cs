using PushQueue.Client;
using PushQueue.Client.Streaming;
using PushQueue.Delivery.Encoding;

namespace PushQueue.InProcess;

/// <summary>Where one enumeration in this process is, so that it resumes there.</summary>
/// <param name="start">Where the program wants it to begin; null for the default.</param>
/// <param name="isOverMany">The stream is over many queues.</param>
internal sealed class InProcessPlace(string? start, bool isOverMany)
{
    private readonly ManyPosition? _many = isOverMany ? new ManyPosition(start) : null;

    /// <summary>The start as a text, or the last message with a cursor: most streams never need its text.</summary>
    private object? _start = start;

    /// <summary>Where the next subscription begins.</summary>
    public string? Start => _many is not null ? _many.From
        : _start is Message message ? message.Cursor
        : (string?)_start;

    public void Begin(InProcessSubscription subscription)
    {
        _start = subscription.Cursor;
        _many?.Begin(subscription.Queues, subscription.Cursor!);
    }

    /// <summary>Goes behind a message. False: the program got it before.</summary>
    public bool TryMove(Message message)
    {
        if (_many?.TryMove(message) == false)
        {
            return false;
        }

        if (message.HasCursor)
        {
            _start = message;
        }

        return true;
    }

    /// <summary>Goes behind a cursor or an event.</summary>
    public void Move(object notice)
    {
        switch (notice)
        {
            case Cursor passed when _many is null:
                _start = passed.ToString();
                break;
            case string cursor:
                _many!.Learn(cursor);
                break;
            case JoinedNotice joined:
                _many!.Join(joined.Queue, joined.Position);
                break;
            case LeftNotice left:
                _many!.Forget(left.Queue);
                break;
            case Client.Gap { Cause: "reset" } gap:
                _many?.Forget(gap.Queue);
                break;
            default:
                // Changes no place.
                break;
        }
    }
}
