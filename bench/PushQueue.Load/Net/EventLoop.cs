using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PushQueue.Load.Net;

/// <summary>
/// Epoll over many connections, driven by one thread that calls <see cref="Poll"/>. Level-triggered with one read per event: a
/// subscriber that receives much cannot starve the others.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    private const int OperationAdd = 1;
    private const int OperationDelete = 2;
    private const int OperationModify = 3;
    private const uint Readable = 1;
    private const uint Writable = 4;
    private const int EventsPerPoll = 512;

    // struct epoll_event is packed on x86-64 only.
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int EventBytes = Packed ? 12 : 16;
    private static readonly int DataOffset = Packed ? 4 : 8;

    private readonly int _epoll = Libc.EpollCreate(0);
    private readonly List<Connection> _connections = [];
    private readonly byte[] _events = GC.AllocateArray<byte>(EventsPerPoll * EventBytes, pinned: true);
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(256 * 1024, pinned: true);

    /// <summary>When the bytes being parsed now were read (Stopwatch ticks). One clock read per receive, not per message.</summary>
    internal long ReceivedAt { get; private set; }

    internal int Open { get; private set; }

    internal void Add(Connection connection)
    {
        connection.Slot = _connections.Count;
        connection.Loop = this;
        _connections.Add(connection);
        Open++;
        Control(connection, OperationAdd, Readable);
    }

    internal void Remove(Connection connection)
    {
        Open--;
        Control(connection, OperationDelete, 0);
    }

    internal void WatchWritable(Connection connection, bool on) =>
        Control(connection, OperationModify, on ? Readable | Writable : Readable);

    internal void Poll(int timeoutMs)
    {
        var count = Libc.EpollWait(_epoll, ref _events[0], EventsPerPoll, timeoutMs);
        for (var i = 0; i < count; i++)
        {
            var at = _events.AsSpan(i * EventBytes);
            var what = BinaryPrimitives.ReadUInt32LittleEndian(at);
            var connection = _connections[BinaryPrimitives.ReadInt32LittleEndian(at[DataOffset..])];
            if (connection.Closed)
            {
                continue;
            }

            if ((what & Writable) != 0)
            {
                connection.OnWritable();
            }

            if ((what & ~Writable) != 0)
            {
                ReceivedAt = Stopwatch.GetTimestamp();
                connection.OnReadable(_buffer);
            }
        }
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }

        _ = Libc.Close(_epoll);
    }

    private void Control(Connection connection, int operation, uint events)
    {
        Span<byte> @event = stackalloc byte[16];
        @event.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(@event, events);
        BinaryPrimitives.WriteInt32LittleEndian(@event[DataOffset..], connection.Slot);
        if (Libc.EpollControl(_epoll, operation, connection.Descriptor, ref MemoryMarshal.GetReference(@event)) != 0)
        {
            throw new LoadException($"epoll: errno {Marshal.GetLastPInvokeError()}");
        }
    }
}
