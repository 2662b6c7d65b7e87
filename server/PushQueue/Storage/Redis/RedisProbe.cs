using System.Net;
using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Finds out why no connection came about: the client library knows only that none did.</summary>
internal static class RedisProbe
{
    /// <summary>What the first server says to a greeting, as the end of a sentence that begins with its address; and whether that may mend itself.</summary>
    public static async Task<(string Reason, bool MayMend)> WhyNotAsync(ConfigurationOptions configuration, TimeSpan patience)
    {
        try
        {
            using var timeout = new CancellationTokenSource(patience);
            using var socket = new TcpClient();
            switch (configuration.EndPoints[0])
            {
                case DnsEndPoint name:
                    await socket.ConnectAsync(name.Host, name.Port, timeout.Token).ConfigureAwait(false);
                    break;
                case IPEndPoint address:
                    await socket.ConnectAsync(address, timeout.Token).ConfigureAwait(false);
                    break;
            }

            return configuration.Ssl ? ("cannot be used; check its certificate", false) : Verdict(await GreetAsync(socket, configuration.Password, timeout.Token).ConfigureAwait(false));
        }
        catch (SocketException e)
        {
            return ($"cannot be reached: {e.Message.TrimEnd('.')}. Check the address, and that Redis runs there", true);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return ("does not answer. Check the address, and that Redis runs there", true);
        }
    }

    private static async Task<string> GreetAsync(TcpClient socket, string? password, CancellationToken cancellationToken)
    {
        var stream = socket.GetStream();
        var greeting = string.IsNullOrEmpty(password)
            ? "PING\r\n"
            : $"*2\r\n$4\r\nAUTH\r\n${Encoding.UTF8.GetByteCount(password)}\r\n{password}\r\n";
        await stream.WriteAsync(Encoding.UTF8.GetBytes(greeting), cancellationToken).ConfigureAwait(false);
        var buffer = new byte[256];
        var read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        return Encoding.UTF8.GetString(buffer, 0, read);
    }

    private static (string Reason, bool MayMend) Verdict(string answer) => answer switch
    {
        "" => ("closes the connection at once. Check the address, and that Redis runs there", true),
        _ when Begins(answer, "+") => ("answers, but not in time", true),
        _ when Begins(answer, "-LOADING") => ("is still reading its data", true),
        _ when Begins(answer, "-BUSY", "-MASTERDOWN", "-CLUSTERDOWN", "-ERR max number of clients") => (Said(answer), true),
        _ when Begins(answer, "-NOAUTH") => ("wants a password; add password= to the address, behind a comma", false),
        _ when Begins(answer, "-WRONGPASS", "-ERR invalid password") => ("refuses the password", false),
        _ when Begins(answer, "-ERR AUTH") => ("has no password; leave password= out", false),
        _ when Begins(answer, "-") => (Said(answer), false),
        _ => ("is no Redis: what listens there speaks something else", false),
    };

    private static bool Begins(string answer, params ReadOnlySpan<string> beginnings)
    {
        foreach (var beginning in beginnings)
        {
            if (answer.StartsWith(beginning, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static string Said(string answer) => $"cannot be used: it says '{answer.Trim().TrimEnd('.')}'";
}
