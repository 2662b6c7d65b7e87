using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Where Redis is and how to reach it, as users write it: a URL (<c>redis://user:password@host:6379/2</c>, <c>rediss://</c> for TLS), or
/// StackExchange.Redis's form (<c>host:6379,host2:6379,user=u,password=p,ssl=true,serviceName=mymaster</c>).
/// </summary>
internal sealed class RedisAddress
{
    private const int DefaultPort = 6379;
    private const int SentinelPort = 26379;
    private const string Scheme = "redis";
    private const string TlsScheme = "rediss";
    private const string Forms =
        "give HOST:PORT, several separated by commas, then options such as password=; or redis://USER:PASSWORD@HOST:PORT/DATABASE";

    private readonly string _text;
    private readonly TimeSpan _timeout;
    private readonly ConfigurationOptions _parsed;

    private RedisAddress(string text, RedisCertificates certificates, TimeSpan timeout)
    {
        _text = text;
        _timeout = timeout;
        _parsed = Parse(text);
        Certificates = certificates;
        if (_parsed.EndPoints.Count == 0)
        {
            throw new FormatException("it names no server");
        }
    }

    /// <summary>The number of the database.</summary>
    public int Database => _parsed.DefaultDatabase ?? 0;

    public RedisCertificates Certificates { get; }

    /// <exception cref="FormatException">The address cannot be used.</exception>
    public static RedisAddress Read(RedisStoreOptions options) =>
        new(options.Configuration, RedisCertificates.Read(options.CertificateAuthority), options.CommandTimeout);

    /// <summary>The options of the connection that SignalR's backplane uses: the same servers, and channels of this installation.</summary>
    /// <exception cref="FormatException">The address cannot be used.</exception>
    public static ConfigurationOptions OfBackplane(RedisStoreOptions options)
    {
        var address = Read(options);
        var keys = new RedisKeys(options.KeyPrefix, address.Database);
        var configuration = address.Configuration(keys.Configuration);
        configuration.ChannelPrefix = RedisChannel.Literal(keys.Hub);
        return configuration;
    }

    /// <summary>The servers that the text names, without user names and passwords.</summary>
    /// <exception cref="FormatException">The address cannot be used.</exception>
    public static string Shown(string text) => new RedisAddress(text, RedisCertificates.Read(null), TimeSpan.FromSeconds(1)).ToString();

    /// <summary>One sentence, without any secret, that says what is wrong with the address; null if it can be used.</summary>
    public static string? WhyNot(string text)
    {
        try
        {
            _ = new RedisAddress(text, RedisCertificates.Read(null), TimeSpan.FromSeconds(1));
            return null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            return $"The address of Redis cannot be used ({RedisFailure.Quoted(e.Message)}); {Forms}.";
        }
    }

    /// <summary>One sentence that says what is wrong with the file of the authority's certificate; null if it can be used.</summary>
    public static string? WhyNotAuthority(string file)
    {
        try
        {
            _ = RedisCertificates.Read(file);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"The certificate in '{file}' cannot be read ({RedisFailure.Quoted(e.Message)}); give a PEM file.";
        }
    }

    /// <summary>The servers alone, without user names and passwords.</summary>
    public override string ToString() => string.Join(',', _parsed.EndPoints.Select(static endPoint => endPoint switch
    {
        DnsEndPoint name => string.Create(CultureInfo.InvariantCulture, $"{name.Host}:{name.Port}"),
        _ => endPoint.ToString(),
    }));

    /// <summary>The options of one connection. Each connection gets new ones, because the client library changes them.</summary>
    /// <param name="channel">The channel on which the client libraries of all nodes may tell each other of another master.</param>
    public ConfigurationOptions Configuration(string channel)
    {
        var configuration = Parse(_text);
        configuration.ClientName = "pushqueue";
        configuration.SetClientLibrary = false;
        configuration.AbortOnConnectFail = false;
        configuration.AllowAdmin = true;
        configuration.ConnectRetry = 1;
        configuration.ConnectTimeout = Math.Min(configuration.ConnectTimeout, 3000);
        configuration.ReconnectRetryPolicy = new LinearRetry(2000);

        // A call fails at once while Redis is away: clients get their 503 at once, and no command is sent whose caller has given up.
        configuration.BacklogPolicy = BacklogPolicy.FailFast;

        // The store has its own timeouts. After four of these without a byte the library takes a socket for dead and makes another.
        configuration.AsyncTimeout = (int)(_timeout * 2).TotalMilliseconds;
        configuration.KeepAlive = 5;

        // Each second the library asks the servers for their roles, so that a failover without Sentinel is noticed.
        configuration.ConfigCheckSeconds = 1;

        // Redis counts every answer on a connection with subscriptions against the small output buffer of pub/sub and closes it when
        // that is full.
        configuration.SharedSubscriptionConnection = false;

        // The library then checks a connection with PING, for which a user needs no further right.
        configuration.CommandMap = CommandMap.Create(["ECHO"], available: false);

        // Scripts publish without a prefix. The library's own key would need rights of its own. Its channel makes it open the connection
        // for subscriptions at once, without which the first subscription fails.
        configuration.ChannelPrefix = default;
        configuration.TieBreaker = string.Empty;
        configuration.ConfigurationChannel = channel;
        if (configuration.Ssl)
        {
            configuration.CertificateValidation += (_, certificate, chain, errors) =>
                Certificates.WhyNot(certificate, chain, errors, string.Empty) is null;
        }

        return configuration;
    }

    private static ConfigurationOptions Parse(string text)
    {
        var configuration = text.Contains("://", StringComparison.Ordinal) ? ParseUrl(text) : ParseList(text);
        var port = string.IsNullOrEmpty(configuration.ServiceName) ? DefaultPort : SentinelPort;
        for (var i = 0; i < configuration.EndPoints.Count; i++)
        {
            configuration.EndPoints[i] = configuration.EndPoints[i] switch
            {
                DnsEndPoint { Port: 0 } name => new DnsEndPoint(name.Host, port),
                IPEndPoint { Port: 0 } address => new IPEndPoint(address.Address, port),
                var other => other,
            };
        }

        return configuration;
    }

    private static ConfigurationOptions ParseList(string text)
    {
        var sawOption = false;
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var isOption = part.Contains('=', StringComparison.Ordinal);
            if (sawOption && !isOption)
            {
                // Without this check the rest of a password with a comma would count as a server and be shown in logs.
                throw new FormatException(
                    "a part without '=' stands behind the options; a password with a comma needs the form redis://, with %2C");
            }

            sawOption |= isOption;
        }

        return ConfigurationOptions.Parse(text);
    }

    private static ConfigurationOptions ParseUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not (Scheme or TlsScheme) || url.Host.Length == 0)
        {
            throw new FormatException("it is not a URL of the form redis:// or rediss://");
        }

        if (url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            throw new FormatException("its URL has a part after '?' or '#'; write those characters of a password as %3F and %23");
        }

        var configuration = new ConfigurationOptions { Ssl = url.Scheme == TlsScheme };
        configuration.EndPoints.Add(url.IdnHost, url.Port > 0 ? url.Port : DefaultPort);
        if (url.AbsolutePath.Trim('/') is { Length: > 0 } database)
        {
            configuration.DefaultDatabase = int.TryParse(database, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new FormatException("the path of its URL is not the number of a database");
        }

        var colon = url.UserInfo.IndexOf(':', StringComparison.Ordinal);
        var user = Uri.UnescapeDataString(colon < 0 ? url.UserInfo : url.UserInfo[..colon]);
        configuration.User = user.Length > 0 ? user : null;
        configuration.Password = colon < 0 ? null : Uri.UnescapeDataString(url.UserInfo[(colon + 1)..]);
        return configuration;
    }
}
