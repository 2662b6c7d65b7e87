using System.Runtime.InteropServices;

namespace PushQueue.Load.Net;

/// <summary>
/// The few system calls the load clients live on. Straight to libc because <see cref="System.Net.Sockets.Socket"/> costs several
/// microseconds an operation in tasks, callbacks and its own epoll threads, more than what some of these runs measure.
/// </summary>
internal static partial class Libc
{
    internal const int AddressFamilyInet = 2;
    internal const int StreamSocket = 1;
    internal const int DontWait = 0x40;
    internal const int NoSignal = 0x4000;
    internal const int SocketLevel = 1;
    internal const int ReceiveBufferOption = 8;
    internal const int TcpLevel = 6;
    internal const int NoDelayOption = 1;
    internal const int WouldBlock = 11;
    internal const int Interrupted = 4;
    internal const int SignalTerminate = 15;
    internal const int SignalKill = 9;
    internal const int ClockTicksPerSecond = 2;

    [StructLayout(LayoutKind.Sequential)]
    internal struct InternetAddress
    {
        public ushort Family;
        public ushort PortBigEndian;
        public uint AddressBigEndian;
        public ulong Zero;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(int descriptor, in InternetAddress address, int length);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(int descriptor, in InternetAddress address, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetSocketOption(int descriptor, int level, int option, in int value, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int descriptor, ref readonly byte buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    internal static partial nint Receive(int descriptor, ref byte buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EpollControl(int epoll, int operation, int descriptor, ref readonly byte @event);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, ref byte events, int maxEvents, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "sysconf", SetLastError = true)]
    internal static partial nint SystemConfiguration(int name);
}
