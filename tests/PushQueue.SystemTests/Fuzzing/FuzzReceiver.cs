using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>The target of pushed jobs: accepts some, refuses some, hangs up on some.</summary>
internal sealed class FuzzReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly Task _accepting;

    public FuzzReceiver(string address)
    {
        _listener = new TcpListener(IPAddress.Parse(address), 0);
        _listener.Start();
        Url = $"http://{_listener.LocalEndpoint}/";
        _accepting = AcceptAsync();
    }

    public string Url { get; }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            for (var number = 0; ; number++)
            {
                using var socket = await _listener.AcceptSocketAsync();
                await AnswerAsync(socket, number);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The run is over.
        }
    }

    private static async Task AnswerAsync(Socket socket, int number)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        try
        {
            _ = await socket.ReceiveAsync(new byte[64 * 1024], patience.Token);
            var answer = (number % 4) switch
            {
                0 => "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                1 => "",
                _ => "HTTP/1.1 204 Yes\r\nConnection: close\r\n\r\n",
            };
            _ = await socket.SendAsync(Encoding.ASCII.GetBytes(answer), patience.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // The server tries again.
        }
    }
}
