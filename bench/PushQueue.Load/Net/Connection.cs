using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PushQueue.Load.Net;

/// <summary>
/// One TCP connection to 127.0.0.1, as a bare descriptor. Before it joins an <see cref="EventLoop"/> it is used blocking (handshakes);
/// afterwards the loop's thread alone touches it. Bytes are parsed where they were received; only what a read leaves unfinished is
/// copied, so that steady state neither copies nor allocates.
/// </summary>
internal abstract class Connection : IDisposable
{
    private const int ConnectionsPerSourceAddress = 20_000;
    private static int _opened;

    private byte[] _carry = [];
    private int _carried;
    private byte[] _pending = [];
    private int _pendingStart;
    private int _pendingEnd;

    protected Connection(int port, int receiveBufferBytes = 0)
    {
        Descriptor = Libc.Socket(Libc.AddressFamilyInet, Libc.StreamSocket, 0);
        if (Descriptor < 0)
        {
            throw new LoadException($"no socket: errno {Marshal.GetLastPInvokeError()} (too many open files? raise ulimit -n)");
        }

        if (receiveBufferBytes > 0)
        {
            _ = Libc.SetSocketOption(Descriptor, Libc.SocketLevel, Libc.ReceiveBufferOption, receiveBufferBytes, sizeof(int));
        }

        // One source address has some 28,000 ports, so many subscribers spread over 127.0.0.1, .2, ...
        var group = Interlocked.Increment(ref _opened) / ConnectionsPerSourceAddress;
        if (group > 0)
        {
            _ = Libc.Bind(Descriptor, Loopback(0, group % 250), Unsafe.SizeOf<Libc.InternetAddress>());
        }

        if (Libc.Connect(Descriptor, Loopback(port, 0), Unsafe.SizeOf<Libc.InternetAddress>()) != 0)
        {
            throw new LoadException($"cannot connect to 127.0.0.1:{port}: errno {Marshal.GetLastPInvokeError()}");
        }

        _ = Libc.SetSocketOption(Descriptor, Libc.TcpLevel, Libc.NoDelayOption, 1, sizeof(int));
    }

    internal int Descriptor { get; }

    internal int Slot { get; set; }

    internal EventLoop? Loop { get; set; }

    /// <summary>Set once the peer has closed or the connection was found unusable.</summary>
    internal bool Closed { get; private set; }

    /// <summary>Parses what has arrived and returns how many bytes it is done with; the rest comes again with what arrives next.</summary>
    protected abstract int Consume(ReadOnlySpan<byte> bytes);

    protected virtual void OnClosed()
    {
    }

    internal void Send(ReadOnlySpan<byte> bytes)
    {
        if (_pendingEnd == _pendingStart)
        {
            bytes = bytes[SendNow(bytes)..];
            if (bytes.IsEmpty)
            {
                return;
            }

            _pendingStart = _pendingEnd = 0;
            Loop?.WatchWritable(this, true);
        }

        if (_pending.Length - _pendingEnd < bytes.Length)
        {
            Array.Resize(ref _pending, Math.Max(_pending.Length * 2, _pendingEnd + bytes.Length));
        }

        bytes.CopyTo(_pending.AsSpan(_pendingEnd));
        _pendingEnd += bytes.Length;
    }

    internal void SendBlocking(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var sent = Libc.Send(Descriptor, in MemoryMarshal.GetReference(bytes), bytes.Length, Libc.NoSignal);
            if (sent <= 0)
            {
                throw new LoadException($"send failed: errno {Marshal.GetLastPInvokeError()}");
            }

            bytes = bytes[(int)sent..];
        }
    }

    /// <summary>Reads, blocking, until <paramref name="end"/> has arrived; what follows it is kept for <see cref="Consume"/>.</summary>
    internal byte[] ReadThrough(ReadOnlySpan<byte> end)
    {
        var found = -1;
        while (found < 0)
        {
            found = _carry.AsSpan(0, _carried).IndexOf(end);
            if (found < 0)
            {
                ReserveCarry(4096);
                var read = Libc.Receive(Descriptor, ref _carry[_carried], _carry.Length - _carried, 0);
                if (read <= 0)
                {
                    throw new LoadException("the server closed the connection during the handshake");
                }

                _carried += (int)read;
            }
        }

        var answer = _carry.AsSpan(0, found + end.Length).ToArray();
        DropCarried(answer.Length);
        return answer;
    }

    internal void OnWritable()
    {
        var waiting = _pending.AsSpan(_pendingStart, _pendingEnd - _pendingStart);
        _pendingStart += SendNow(waiting);
        if (_pendingStart == _pendingEnd)
        {
            _pendingStart = _pendingEnd = 0;
            Loop?.WatchWritable(this, false);
        }
    }

    internal void OnReadable(byte[] buffer)
    {
        var read = (int)Libc.Receive(Descriptor, ref buffer[0], buffer.Length, Libc.DontWait);
        if (read <= 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (read == 0 || (error != Libc.WouldBlock && error != Libc.Interrupted))
            {
                MarkClosed();
            }

            return;
        }

        var bytes = buffer.AsSpan(0, read);
        if (_carried == 0)
        {
            bytes = bytes[Consume(bytes)..];
            ReserveCarry(bytes.Length);
            bytes.CopyTo(_carry);
            _carried = bytes.Length;
        }
        else
        {
            ReserveCarry(read);
            bytes.CopyTo(_carry.AsSpan(_carried));
            _carried += read;
            DropCarried(Consume(_carry.AsSpan(0, _carried)));
        }
    }

    internal void MarkClosed()
    {
        if (!Closed)
        {
            Closed = true;
            Loop?.Remove(this);
            OnClosed();
        }
    }

    public void Dispose()
    {
        _ = Libc.Close(Descriptor);
    }

    private int SendNow(ReadOnlySpan<byte> bytes)
    {
        var sent = Libc.Send(Descriptor, in MemoryMarshal.GetReference(bytes), bytes.Length, Libc.DontWait | Libc.NoSignal);
        return sent > 0 ? (int)sent : 0; // a broken connection shows itself at the next read
    }

    private void ReserveCarry(int more)
    {
        if (_carry.Length - _carried < more)
        {
            Array.Resize(ref _carry, Math.Max(_carry.Length * 2, _carried + more));
        }
    }

    private void DropCarried(int count)
    {
        _carry.AsSpan(count, _carried - count).CopyTo(_carry);
        _carried -= count;
    }

    private static Libc.InternetAddress Loopback(int port, int last) => new()
    {
        Family = Libc.AddressFamilyInet,
        PortBigEndian = BinaryPrimitives.ReverseEndianness((ushort)port),
        AddressBigEndian = BinaryPrimitives.ReverseEndianness(0x7f000001u + (uint)last),
    };
}
