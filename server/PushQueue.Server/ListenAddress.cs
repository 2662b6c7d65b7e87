using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace PushQueue.Server;

/// <summary>Where the server listens: an address, both addresses of localhost, or a Unix socket.</summary>
/// <param name="Text">As it was given.</param>
/// <param name="Address">Null for localhost and for a socket.</param>
/// <param name="SocketPath">The file of a Unix socket; null for the others.</param>
internal sealed record ListenAddress(string Text, IPAddress? Address, string? SocketPath)
{
    private const string Localhost = "localhost";
    private const string SocketPrefix = "unix:";

    /// <summary>Whether only this machine can connect.</summary>
    public bool IsLocal => Address is null || IPAddress.IsLoopback(Address);

    /// <summary>Null where the text is no such address.</summary>
    public static ListenAddress? Parse(string text) =>
        text == Localhost ? new ListenAddress(text, Address: null, SocketPath: null)
        : text.StartsWith(SocketPrefix, StringComparison.Ordinal) && Path.IsPathFullyQualified(text[SocketPrefix.Length..])
            ? new ListenAddress(text, Address: null, text[SocketPrefix.Length..])
        : IPAddress.TryParse(text, out var address) ? new ListenAddress(text, address, SocketPath: null)
        : null;

    /// <param name="kestrel">The web server.</param>
    /// <param name="port">0 for any free one.</param>
    /// <param name="configure">Called for what is listened on.</param>
    public void Listen(KestrelServerOptions kestrel, int port, Action<ListenOptions> configure)
    {
        if (SocketPath is not null)
        {
            DeleteIfStale(SocketPath);
            kestrel.ListenUnixSocket(SocketPath, configure);
        }
        else if (Address is not null)
        {
            kestrel.Listen(Address, port, configure);
        }
        else if (port == 0)
        {
            // The system chooses a port for one family; the other could not be asked for the same.
            kestrel.Listen(IPAddress.Loopback, port, configure);
        }
        else
        {
            kestrel.ListenLocalhost(port, configure);
        }
    }

    /// <summary>A process that was killed leaves its socket's file behind, and nobody could listen there again.</summary>
    private static void DeleteIfStale(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
    }
}
