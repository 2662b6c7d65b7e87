using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// One record that holds one body and the messages of several queues: a message and its copies (<see cref="RecordType.Copies"/>). Its bytes
/// in the segment, and its body in memory, count once, as long as one of the messages has them. Thread-safe, because the queues of the
/// messages have locks of their own.
/// </summary>
internal sealed class SharedRecord
{
    private readonly Lock _gate = new();
    private int _users;
    private int _bodyHolders;
    private byte[]? _body;

    /// <summary>Null until the record is on disk.</summary>
    public Segment? Segment { get; set; }

    /// <summary>A message stands in the record; true for the first one.</summary>
    public bool AddUser() => Interlocked.Increment(ref _users) == 1;

    /// <summary>A message no longer stands in it; true for the last one.</summary>
    public bool RemoveUser() => Interlocked.Decrement(ref _users) == 0;

    /// <summary>Gives a message the body in memory, where another one has it already. Null where none has.</summary>
    public byte[]? HoldBody()
    {
        lock (_gate)
        {
            _bodyHolders += _body is null ? 0 : 1;
            return _body;
        }
    }

    /// <summary>The first message holds the body. False where another one was faster: then that one's body is held.</summary>
    public bool TryHoldFirst(ref byte[] body)
    {
        lock (_gate)
        {
            _bodyHolders++;
            if (_body is null)
            {
                _body = body;
                return true;
            }

            body = _body;
            return false;
        }
    }

    /// <summary>A message lets the body go; true for the last one.</summary>
    public bool ReleaseBody()
    {
        lock (_gate)
        {
            if (--_bodyHolders > 0)
            {
                return false;
            }

            _body = null;
            return true;
        }
    }
}
