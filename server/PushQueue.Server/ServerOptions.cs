using System.Globalization;
using System.Net;
using PushQueue.Queues;
using PushQueue.Storage;

namespace PushQueue.Server;

/// <summary>The host's options, each from the command line, else from the environment, else from appsettings.json.</summary>
internal sealed record ServerOptions(
    IReadOnlyList<ListenAddress> Listen, int Port, string Data, string Durability, string? MaxMessageBytes, bool Open, string? Redis,
    int RedisWait,
    IReadOnlyList<string> AllowedOrigins, IReadOnlyList<string> AllowedHosts,
    IReadOnlyList<(string Dialect, int Port)> DialectPorts, int? SyslogPort, string? AccessFile, IReadOnlyList<string> PushAllowed)
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromHours(1);

    /// <summary>In the place of a time that cannot be read, which ends the start.</summary>
    private static readonly TimeSpan QueueExpiryAfterError = TimeSpan.FromHours(1);

    /// <summary>Where metrics and traces go; null for nowhere.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>Null for the default.</summary>
    public int? MetricsQueues { get; init; }

    /// <summary>Where the messages are, for people.</summary>
    public string Where => Redis is null
        ? $"data in {Path.GetFullPath(Data)} ({Durability})"
        : $"queues in Redis at {new StorageOptions { Redis = Redis }.RedisServers}";

    /// <summary>The file with the authority for Redis's certificate; null for the authorities that the machine trusts.</summary>
    public string? RedisCertificateAuthority { get; init; }

    /// <summary>Begins every key in Redis; null for the default.</summary>
    public string? RedisPrefix { get; init; }

    /// <summary>The file with the keys and their permissions; null: everybody may do everything.</summary>
    public string? AuthFile { get; init; }

    /// <summary>The issuer of the accepted tokens; null for none.</summary>
    public string? JwtAuthority { get; init; }

    /// <summary>The audience of the accepted tokens.</summary>
    public string? JwtAudience { get; init; }

    /// <summary>The file with the authority's keys; null to get them from the authority.</summary>
    public string? JwtKeys { get; init; }

    /// <summary>The certificate's file; null for plain HTTP.</summary>
    public string? Certificate { get; init; }

    public string? CertificateKey { get; init; }

    public string? CertificatePassword { get; init; }

    /// <summary>How long the server continues to serve after it was asked to stop.</summary>
    public TimeSpan Drain { get; init; }

    /// <summary>How long a connection stays open between two requests; null for the default.</summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>The addresses that have ports.</summary>
    public IEnumerable<ListenAddress> ListenWithPorts => Listen.Where(static address => address.SocketPath is null);

    /// <summary>All addresses, for people.</summary>
    public string ListenText => string.Join(", ", Listen.Select(static address => address.Text));

    /// <summary>Which queues go when nobody uses them.</summary>
    public IReadOnlyList<QueueExpiry> Expires { get; init; } = [];

    /// <summary>How long a worker is listed after it was last seen; null for the default.</summary>
    public TimeSpan? WorkerExpires { get; init; }

    /// <summary>As NAME=NUMBER.</summary>
    public IReadOnlyList<string> Limits { get; init; } = [];

    public IReadOnlyList<string> Proxies { get; init; } = [];

    /// <summary>Reads the options as text and reports everything that is wrong with them at once.</summary>
    public static ServerOptions Read(Func<string, string?> text, List<string> errors)
    {
        var listen = List(text("listen") ?? "127.0.0.1");
        var addresses = listen.Select(ListenAddress.Parse).OfType<ListenAddress>().ToList();
        var port = text("port") ?? "8080";
        var open = text("open") ?? "false";
        errors.AddRange(listen.Where(static one => ListenAddress.Parse(one) is null).Select(
            static one => $"--listen is '{one}'; give an IP address such as 127.0.0.1, localhost, or unix:/run/pushqueue.sock."));

        _ = TryPort("port", port, errors, out var number);

        if (!bool.TryParse(open, out var isOpen))
        {
            errors.Add($"--open is '{open}'; give true or false.");
        }
        else if (!isOpen && text("auth") is null && text("jwt-authority") is null && addresses.Find(static one => !one.IsLocal) is { } wide)
        {
            errors.Add($"--listen {wide.Text} lets every machine on the network put and take messages; "
                + "give an access file with --auth, or add --open if this is intended.");
        }

        var wait = text("redis-wait") ?? "0";
        if (!int.TryParse(wait, NumberStyles.None, CultureInfo.InvariantCulture, out var redisWait))
        {
            errors.Add($"--redis-wait is '{wait}'; give the number of replicas that must have a message before its put is answered.");
        }

        return new ServerOptions(
            addresses, number, text("data") ?? "./data", text("durability") ?? "synced", text("max-message-bytes"), isOpen,
            text("redis"), redisWait, List(text("allow-origin")), List(text("allow-host")), ReadDialectPorts(text, errors),
            text("syslog-port") is { } syslog && TryPort("syslog-port", syslog, errors, out var syslogPort) ? syslogPort : null,
            text("acl"),
            List(text("push-allow")))
        {
            Otlp = ReadOtlp(text("otlp") ?? Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"), errors),
            MetricsQueues = ReadCount(text("metrics-queues"), "metrics-queues", errors),
            RedisCertificateAuthority = text("redis-ca"),
            RedisPrefix = text("redis-prefix"),
            Expires = ReadExpires(List(text("expires")), errors),
            WorkerExpires = text("worker-expires") is { } age ? ReadAge("worker-expires", age, errors) : null,
            Drain = ReadTime("drain", text("drain"), errors) ?? TimeSpan.Zero,
            KeepAlive = ReadTime("keep-alive", text("keep-alive"), errors),
            AuthFile = text("auth"),
            JwtAuthority = text("jwt-authority"),
            JwtAudience = text("jwt-audience"),
            JwtKeys = text("jwt-keys"),
            Certificate = text("cert"),
            CertificateKey = text("cert-key"),
            CertificatePassword = text("cert-password"),
            Limits = List(text("limit")),
            Proxies = List(text("proxy")),
        };
    }

    /// <summary>All ports, for an error that cannot say which of them it means.</summary>
    public string PortsText => string.Join(" or ", [$"{Port}",
        .. DialectPorts.Select(static dialect => $"{dialect.Port} ({dialect.Dialect})"),
        .. SyslogPort is { } port ? [$"{port} (syslog)"] : Array.Empty<string>()]);

    public void ApplyTo(PushQueueOptions options, List<string> errors)
    {
        options.Storage.DataDirectory = Data;
        options.Storage.Durability = Durability;
        options.Storage.Redis = Redis;
        options.Storage.RedisWait = RedisWait;
        options.Storage.RedisCertificateAuthority = RedisCertificateAuthority;
        options.Storage.RedisKeyPrefix = RedisPrefix ?? options.Storage.RedisKeyPrefix;
        options.Security.AccessFile = AuthFile is null ? null : Path.GetFullPath(AuthFile);
        options.Security.Jwt.Authority = JwtAuthority;
        options.Security.Jwt.Audience = JwtAudience;
        options.Security.Jwt.KeysFile = JwtKeys is null ? null : Path.GetFullPath(JwtKeys);
        ServerLimits.Apply(Limits, options, errors);
        ServerLimits.ApplyProxies(Proxies, options, errors);
        foreach (var expires in Expires)
        {
            options.Queues.Expires.Add(expires);
        }

        options.Queues.WorkerAgeMax = WorkerExpires ?? options.Queues.WorkerAgeMax;
        options.Connections.KeepAliveTimeout = KeepAlive ?? options.Connections.KeepAliveTimeout;
        options.RestMq.AccessFile = AccessFile;
        foreach (var origin in AllowedOrigins)
        {
            options.Security.AllowedOrigins.Add(origin);
        }

        foreach (var host in AllowedHosts)
        {
            options.Security.AllowedHosts.Add(host);
        }

        options.Diagnostics.QueueSeriesMax = MetricsQueues ?? options.Diagnostics.QueueSeriesMax;
        options.Diagnostics.RefreshInterval = Otlp is null ? null : TimeSpan.FromSeconds(10);
        if (PushAllowed.Count > 0)
        {
            options.Redisched.PushAllowed.Clear();
        }

        foreach (var allowed in PushAllowed)
        {
            options.Redisched.PushAllowed.Add(allowed);
        }

        if (MaxMessageBytes is null)
        {
            return;
        }

        if (int.TryParse(MaxMessageBytes, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
        {
            options.Queues.MessageBytesMax = bytes;
        }
        else
        {
            errors.Add($"--max-message-bytes is '{MaxMessageBytes}'; give a number of bytes.");
        }
    }

    private static List<(string Dialect, int Port)> ReadDialectPorts(Func<string, string?> text, List<string> errors)
    {
        var ports = new List<(string, int)>();
        foreach (var dialect in PushQueueDialects.Names)
        {
            var name = dialect + "-port";
            if (text(name) is { } given && TryPort(name, given, errors, out var port))
            {
                ports.Add((dialect, port));
            }
        }

        return ports;
    }

    private static bool TryPort(string name, string text, List<string> errors, out int port)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= IPEndPoint.MaxPort)
        {
            return true;
        }

        errors.Add($"--{name} is '{text}'; give 0 to {IPEndPoint.MaxPort}, 0 for any free port.");
        return false;
    }

    private static Uri? ReadOtlp(string? text, List<string> errors)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
        {
            return url;
        }

        errors.Add($"--otlp (OTEL_EXPORTER_OTLP_ENDPOINT) is '{text}'; give the URL of a collector such as http://127.0.0.1:4318.");
        return null;
    }

    private static TimeSpan? ReadTime(string name, string? text, List<string> errors)
    {
        if (text is null)
        {
            return null;
        }

        var number = text.TrimEnd('s', 'm');
        var unit = text[number.Length..];
        if (double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            && (unit is "" or "s" ? TimeSpan.FromSeconds(amount)
                : unit is "m" ? TimeSpan.FromMinutes(amount)
                : TimeSpan.MaxValue) is var time
            && time <= TimeMax)
        {
            return time;
        }

        errors.Add($"--{name} is '{text}'; give at most an hour, such as 15s or 1m.");
        return null;
    }

    private static List<QueueExpiry> ReadExpires(IReadOnlyList<string> texts, List<string> errors)
    {
        var rules = new List<QueueExpiry>();
        foreach (var text in texts)
        {
            var equals = text.LastIndexOf('=');
            if (equals > 0)
            {
                rules.Add(new QueueExpiry(text[..equals], ReadAge("expires", text[(equals + 1)..], errors) ?? QueueExpiryAfterError));
            }
            else
            {
                errors.Add($"--expires has '{text}'; give NAME=TIME such as reply.*=1h; separate several with commas.");
            }
        }

        return rules;
    }

    private static TimeSpan? ReadAge(string name, string text, List<string> errors)
    {
        var number = text.Length == 0 ? text : text[..^1];
        var unit = text.Length == 0 ? ' ' : text[^1];
        var minutes = unit switch { 'm' => 1, 'h' => 60, 'd' => 24 * 60, _ => 0 };
        if (minutes > 0
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
            && amount is > 0 and < 100_000)
        {
            return TimeSpan.FromMinutes((double)amount * minutes);
        }

        errors.Add($"--{name} has the time '{text}'; give minutes, hours or days, such as 30m, 1h or 7d.");
        return null;
    }

    private static int? ReadCount(string? text, string name, List<string> errors)
    {
        if (text is null || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return text is null ? null : int.Parse(text, CultureInfo.InvariantCulture);
        }

        errors.Add($"--{name} is '{text}'; give a number.");
        return null;
    }

    private static string[] List(string? text) =>
        text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

}
