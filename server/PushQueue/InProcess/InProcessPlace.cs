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
    private string? _start = start;

    /// <summary>Where the next subscription begins.</summary>
    public string? Start => _many is null ? _start : _many.From;

    /// <summary>The cursor behind what the program has got; null where it is not known.</summary>
    public string? Cursor { get; private set; }

    public void Begin(InProcessSubscription subscription)
    {
        if (_many is null)
        {
            _start = subscription.Cursor;
            return;
        }

        _many.Begin(subscription.Queues, subscription.Cursor!);
        Cursor = subscription.Cursor;
    }

    /// <summary>Goes behind a message. False: the program got it before.</summary>
    public bool TryMove(Message message)
    {
        if (_many?.TryMove(message) == false)
        {
            return false;
        }

        if (message.Cursor is { } cursor)
        {
            _start = Cursor = cursor;
        }

        return true;
    }

    /// <summary>Goes behind a cursor or an event.</summary>
    public void Move(object notice)
    {
        switch (notice)
        {
            case Cursor passed when _many is null:
                _start = Cursor = passed.ToString();
                break;
            case string cursor:
                _many!.Learn(cursor);
                Cursor = cursor;
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
