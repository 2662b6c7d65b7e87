using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PushQueue.Tests.Support;

/// <summary>Speaks just enough of Redis's protocol that a client connects and asks for its version.</summary>
internal sealed class FakeRedis : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _info;
    private readonly Task _accepting;

    public FakeRedis(string version)
    {
        _info =
            $"# Server\r\nredis_version:{version}\r\nredis_mode:standalone\r\nrun_id:{new string('a', 40)}\r\n\r\n# "
                + "Replication\r\nrole:master\r\n";
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }

        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(TcpClient accepted)
    {
        using var client = accepted;
        try
        {
            using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
            while (await reader.ReadLineAsync(_stopping.Token) is { } line)
            {
                var words = await WordsAsync(reader, line);
                await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(Answer(words)), _stopping.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client is gone, or the test is over.
        }
    }

    private async Task<List<string>> WordsAsync(StreamReader reader, string line)
    {
        var words = new List<string>();
        for (var left = int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture); left > 0; left--)
        {
            // By its length: a word may be any bytes, line ends among them.
            var word = new char[int.Parse((await reader.ReadLineAsync(_stopping.Token)).AsSpan(1), CultureInfo.InvariantCulture)];
            _ = await reader.ReadBlockAsync(word, _stopping.Token);
            _ = await reader.ReadLineAsync(_stopping.Token);
            words.Add(new string(word));
        }

        return words;
    }

    private string Answer(List<string> words) => words[0].ToUpperInvariant() switch
    {
        "INFO" => Bulk(_info),
        "ECHO" => Bulk(words[1]),
        "PING" => "+PONG\r\n",
        "GET" => "$-1\r\n",
        "SUBSCRIBE" => $"*3\r\n{Bulk("subscribe")}{Bulk(words[1])}:1\r\n",
        "CONFIG" => "*0\r\n",
        "CLUSTER" => "-ERR This instance has cluster support disabled\r\n",
        _ => "+OK\r\n",
    };

    private static string Bulk(string text) => string.Create(CultureInfo.InvariantCulture, $"${text.Length}\r\n{text}\r\n");
}
