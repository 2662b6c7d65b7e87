using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Finds out why a connection is of no use: the client library only reports that none came about.</summary>
internal static class RedisProbe
{
    private const string WantsCredentials =
        "requires a user name or a password; give them as redis://USER:PASSWORD@HOST:PORT, or as user= and password= after a comma";

    /// <summary>The first byte with which a TLS server ends a connection that does not begin with a handshake.</summary>
    private const char TlsAlert = '\x15';

    private const string RefusesCredentials = "refuses the user name or the password";

    /// <summary>
    /// Talks to the first server of the configuration. A reason is the end of a sentence that begins with "Redis at ADDRESS"; it is null if
    /// the server answers as it should. The second value is whether waiting may help.
    /// </summary>
    public static async Task<(string? Reason, bool MayRecover)> WhyNotAsync(
        ConfigurationOptions configuration, RedisCertificates certificates, TimeSpan timeout)
    {
        var endPoint = configuration.EndPoints[0];
        using var canceling = new CancellationTokenSource(timeout / 2);
        try
        {
            using var socket = new TcpClient();
            var host = await ConnectAsync(socket, endPoint, canceling.Token);
            if (!configuration.Ssl)
            {
                return await TalkAsync(socket.GetStream(), configuration, canceling.Token);
            }

            using var encrypted = new SslStream(socket.GetStream(), leaveInnerStreamOpen: true);
            return await EncryptAsync(encrypted, configuration.SslHost ?? host, certificates, canceling.Token) is { } refusal
                ? (refusal, false)
                : await TalkAsync(encrypted, configuration, canceling.Token);
        }
        catch (SocketException e)
        {
            return ($"cannot be reached: {RedisFailure.Quoted(e.Message)}. Check the address, and that Redis runs there", true);
        }
        catch (Exception e) when (IsSilence(e))
        {
            return await AnswersAsync(endPoint, encrypted: !configuration.Ssl, timeout / 2)
                ? (configuration.Ssl
                    ? "does not speak TLS on this port; give its TLS port, or leave TLS out (redis:// instead of rediss://, no ssl=true)"
                    : "speaks TLS on this port; use rediss:// instead of redis://, or ssl=true", false)
                : ("does not answer. Check the address, and that Redis runs there", true);
        }
    }

    private static bool IsSilence(Exception exception) => exception is OperationCanceledException or IOException or AuthenticationException;

    /// <summary>Whether a Redis answers there with TLS, or without.</summary>
    private static async Task<bool> AnswersAsync(EndPoint endPoint, bool encrypted, TimeSpan timeout)
    {
        using var canceling = new CancellationTokenSource(timeout);
        try
        {
            using var socket = new TcpClient();
            await ConnectAsync(socket, endPoint, canceling.Token);
            if (encrypted)
            {
                // Nothing is sent over this connection, so the certificate does not matter.
                using var stream = new SslStream(socket.GetStream(), leaveInnerStreamOpen: true, static (_, _, _, _) => true);
                await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "redis" }, canceling.Token);
                return true;
            }

            using var reader = new StreamReader(socket.GetStream(), Encoding.Latin1, leaveOpen: true);
            return Begins(await AskAsync(socket.GetStream(), reader, ["PING"], canceling.Token), "+", "-");
        }
        catch (Exception e) when (e is SocketException || IsSilence(e))
        {
            return false;
        }
    }

    private static async Task<string> ConnectAsync(TcpClient socket, EndPoint endPoint, CancellationToken cancellationToken)
    {
        switch (endPoint)
        {
            case DnsEndPoint name:
                await socket.ConnectAsync(name.Host, name.Port, cancellationToken);
                return name.Host;
            case IPEndPoint address:
                await socket.ConnectAsync(address, cancellationToken);
                return address.Address.ToString();
            default:
                return endPoint.ToString() ?? string.Empty;
        }
    }

    /// <returns>Why TLS does not work; null if it does.</returns>
    private static async Task<string?> EncryptAsync(
        SslStream stream, string host, RedisCertificates certificates, CancellationToken cancellationToken)
    {
        string? refusal = null;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                refusal = certificates.WhyNot(certificate, chain, errors, host);
                return refusal is null;
            },
        };
        try
        {
            await stream.AuthenticateAsClientAsync(options, cancellationToken);
            return null;
        }
        catch (AuthenticationException) when (refusal is not null)
        {
            return refusal;
        }
    }

    private static async Task<(string? Reason, bool MayRecover)> TalkAsync(
        Stream stream, ConfigurationOptions configuration, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1, leaveOpen: true);
        Task<string> AskAsync(params string[] words) => RedisProbe.AskAsync(stream, reader, words, cancellationToken);

        var isSentinelMeant = !string.IsNullOrEmpty(configuration.ServiceName);
        var (user, password) = isSentinelMeant
            ? (configuration.SentinelUser ?? configuration.User, configuration.SentinelPassword ?? configuration.Password)
            : (configuration.User, configuration.Password);
        if (!string.IsNullOrEmpty(password))
        {
            var answer = string.IsNullOrEmpty(user) ? await AskAsync("AUTH", password) : await AskAsync("AUTH", user, password);
            if (!Begins(answer, "+") && !(isSentinelMeant && Begins(answer, "-ERR AUTH")))
            {
                return Begins(answer, "-ERR AUTH") ? (WithoutPassword(await AskAsync("PING")), false) : Verdict(answer);
            }
        }

        var greeting = await AskAsync("PING");
        if (!Begins(greeting, "+", "-NOPERM"))
        {
            return Verdict(greeting);
        }

        if (await AskAsync("INFO", "server") is var server && server.Contains("redis_mode:sentinel", StringComparison.Ordinal))
        {
            return DescribeSentinel(await AskAsync("INFO", "sentinel"), configuration.ServiceName);
        }

        return configuration.DefaultDatabase is > 0 and var database
            && await AskAsync("SELECT", database.ToString(CultureInfo.InvariantCulture)) is var selected && Begins(selected, "-")
            ? ($"has no database {database} for this user: it says '{RedisFailure.Quoted(selected)}'", false)
            : (null, true);
    }

    /// <summary>
    /// The default user has no password. Then the password may be one too many; or the default user is switched off, and the password is
    /// that of a user whose name is missing.
    /// </summary>
    private static string WithoutPassword(string greeting) => Begins(greeting, "-NOAUTH")
        ? "knows the password only together with a user name, because its default user is off; "
            + "give redis://USER:PASSWORD@HOST:PORT, or add user="
        : "has no password; leave the password out, or give the name of the user that has it";

    private static (string Reason, bool MayRecover) DescribeSentinel(string info, string? service)
    {
        const string Name = "name=";
        var names = info.Split('\n')
            .Where(static line => line.StartsWith("master", StringComparison.Ordinal) && line.Contains(Name, StringComparison.Ordinal))
            .Select(static line => line[(line.IndexOf(Name, StringComparison.Ordinal) + Name.Length)..].Split(',')[0])
            .ToList();
        var watched = names.Count == 0 ? "no master" : string.Join(", ", names);
        if (string.IsNullOrEmpty(service))
        {
            return ($"is a Sentinel, which stores nothing; add serviceName= with the name of its master (it watches {watched})", false);
        }

        return names.Contains(service, StringComparer.Ordinal)
            ? ($"is a Sentinel whose master '{service}' cannot be reached or refuses the user", true)
            : ($"is a Sentinel that does not know the master '{service}' (it watches {watched}); check serviceName=", false);
    }

    private static (string Reason, bool MayRecover) Verdict(string answer) => answer switch
    {
        "" => throw new EndOfStreamException(),
        _ when Begins(answer, "-LOADING") => ("is still reading its data", true),
        _ when Begins(answer, "-BUSY", "-MASTERDOWN", "-CLUSTERDOWN", "-ERR max number of clients") => (Said(answer), true),
        _ when Begins(answer, "-NOAUTH") => (WantsCredentials, false),
        _ when Begins(answer, "-WRONGPASS", "-ERR invalid password") => (RefusesCredentials, false),
        _ when Begins(answer, "-") => (Said(answer), false),
        _ when answer[0] == TlsAlert => throw new EndOfStreamException(),
        _ => ("is not a Redis server: it speaks another protocol", false),
    };

    private static string Said(string answer) => $"cannot be used: it says '{RedisFailure.Quoted(answer)}'";

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

    /// <returns>The answer's first line, or the text of a bulk answer; empty if the connection ended.</returns>
    private static async Task<string> AskAsync(Stream stream, StreamReader reader, string[] words, CancellationToken cancellationToken)
    {
        var command = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (var word in words)
        {
            command.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(command.ToString()), cancellationToken);
        var line = await reader.ReadLineAsync(cancellationToken) ?? string.Empty;
        if (!Begins(line, "$") || !int.TryParse(line.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return line;
        }

        var text = new char[length + 2];
        var read = await reader.ReadBlockAsync(text, cancellationToken);
        return new string(text, 0, Math.Min(read, length));
    }
}
