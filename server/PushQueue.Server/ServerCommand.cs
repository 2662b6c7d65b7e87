using System.CommandLine;

namespace PushQueue.Server;

/// <summary>
/// The command line. An option that it does not give is looked for as PUSHQUEUE_NAME and in appsettings.json, section PushQueue.
/// </summary>
internal static class ServerCommand
{
    private static readonly Option[] Options =
    [
        new Option<string[]>("--listen") { Description = "An IP address, localhost, or unix:/PATH to listen on; repeatable (127.0.0.1)." },
        new Option<string>("--port") { Description = "The port; 0 for any free port (8080)." },
        new Option<string>("--data") { Description = "The folder that holds the messages (./data)." },
        new Option<string>("--durability")
        {
            Description = "Durability of an answered put: synced (on disk), interval:50ms (on disk at most 50 ms later), memory (synced).",
        },
        new Option<string>("--redis")
        {
            Description = "Share the queues with other nodes in this Redis: redis://USER:PASSWORD@HOST:PORT/DATABASE, rediss:// for TLS, "
                + "or HOST:PORT, several separated by commas, then options such as password= and serviceName= (for Sentinel).",
        },
        new Option<string>("--redis-ca")
        {
            Description = "A PEM file with the only authority to trust for the certificate of Redis (the authorities of the machine).",
        },
        new Option<string>("--redis-prefix") { Description = "The prefix of every key and channel in Redis (pq)." },
        new Option<string>("--redis-wait")
        {
            Description = "How many replicas of Redis must have a message before its put is answered (0).",
        },
        new Option<string>("--max-message-bytes") { Description = "The largest message (1048576)." },
        new Option<string>("--open")
        {
            Description = "Listen on an address that other machines can reach, without an access file (--auth).",
            Arity = ArgumentArity.ZeroOrOne,
        },
        new Option<string>("--auth") { Description = "The access file: keys and their permissions. It is read again when it changes." },
        new Option<string>("--jwt-authority")
        {
            Description = "The issuer of JSON Web Tokens to accept: the https URL of an OpenID Connect authority (none).",
        },
        new Option<string>("--jwt-audience") { Description = "The audience that these tokens must name." },
        new Option<string>("--jwt-keys")
        {
            Description = "A file with the issuer's public keys (JWKS), for a server without a network. It is read again when it changes.",
        },
        new Option<string>("--cert")
        {
            Description = "A certificate, PEM or PFX: the server then speaks TLS. It is read again when it changes.",
        },
        new Option<string>("--cert-key") { Description = "Its private key, if the PEM file does not contain it." },
        new Option<string>("--cert-password") { Description = "The password of the key; prefer the environment variable "
            + "PUSHQUEUE_CERT_PASSWORD." },
        new Option<string[]>("--limit")
        {
            Description = $"A limit, as NAME=NUMBER; repeatable. The names are {ServerLimits.Names}; docs/SECURITY.md says what they mean.",
        },
        new Option<string[]>("--proxy")
        {
            Description = "The address of a proxy in front: its X-Forwarded- headers are trusted, and its connections are not "
                + "limited by address; repeatable.",
        },
        new Option<string[]>("--allow-origin") { Description = "An origin whose web pages may use the server, or * for all; repeatable." },
        new Option<string[]>("--allow-host") { Description = "A name of the server, for a proxy in front of one on loopback; repeatable." },
        new Option<string[]>("--push-allow")
        {
            Description = "Allowed targets of pushed jobs: loopback, an address, a network such as 10.0.0.0/8, the name of a host, or "
                + "*; repeatable (loopback).",
        },
        .. PushQueueDialects.Names.Select(static name => new Option<string>($"--{name}-port")
        {
            Description = $"A port that speaks {name} alone, at its root; 0 for any free one (none; it is always under /{name}).",
        }),
        new Option<string>("--syslog-port")
        {
            Description = "A port that accepts syslog over TCP, a message for each line; 0 for any free port (none).",
        },
        new Option<string>("--expires")
        {
            Description = "Unused queues to delete, by name: reply.*=1h; separate several with commas (none).",
        },
        new Option<string>("--worker-expires")
        {
            Description = "How long a worker stays listed after its last request (1h).",
        },
        new Option<string>("--drain")
        {
            Description = "How long the server reports not ready and continues to serve after SIGTERM, while its streams move to other "
                + "nodes, such as 15s (0: it stops at once).",
        },
        new Option<string>("--keep-alive")
        {
            Description = "How long a connection stays open between two requests (130s). Give more than the balancer's own time.",
        },
        new Option<string>("--otlp")
        {
            Description = "The collector of metrics and traces by OTLP, such as http://127.0.0.1:4318 (OTEL_EXPORTER_OTLP_ENDPOINT, "
                + "else none).",
        },
        new Option<string>("--metrics-queues") { Description = "The number of queues with separate metrics; the others are summed up "
            + "(200)." },
        new Option<string>("--acl") { Description = "RestMQ's access file: the clients that may use /restmq and its port (all)." },
    ];

    /// <param name="args">The command line.</param>
    /// <param name="run">Gets a reader of options by name, without dashes; null where an option is not given anywhere.</param>
    public static Task<int> InvokeAsync(string[] args, Func<Func<string, string?>, Task<int>> run)
    {
        var root = new RootCommand("PushQueue: a message queue that pushes.");
        foreach (var option in Options)
        {
            root.Options.Add(option);
        }

        root.Subcommands.Add(BackupCommand.Create());
        root.Subcommands.Add(RestoreCommand.Create());
        root.Subcommands.Add(KeyCommand.Create());
        root.SetAction(result => run(name => FromCommandLine(result, name) ?? FromElsewhere(name)));
        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0)
        {
            // The host handles signals; the library would replace the server's exit code after SIGTERM.
            return parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
        }

        foreach (var error in parsed.Errors)
        {
            Console.Error.WriteLine(error.Message);
        }

        return Task.FromResult(Program.WrongOptions);
    }

    private static string? FromCommandLine(ParseResult result, string name)
    {
        var option = Array.Find(Options, option => option.Name == "--" + name)!;
        return option switch
        {
            _ when result.GetResult(option) is null => null,
            Option<string[]> many => string.Join(',', result.GetValue(many) ?? []),
            _ => result.GetValue((Option<string>)option) ?? "true",
        };
    }

    private static readonly Lazy<IConfiguration> Elsewhere = new(() => new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
        .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true)
        .Build());

    /// <summary>
    /// Settings in the environment and appsettings.json that are not options: a spelling mistake would otherwise leave a server open, or
    /// without its limits. The project's own tests use names that begin with PUSHQUEUE_TEST_.
    /// </summary>
    public static IEnumerable<string> Unknown()
    {
        foreach (string variable in Environment.GetEnvironmentVariables().Keys)
        {
            if (variable.StartsWith(Prefix, StringComparison.Ordinal)
                && !variable.StartsWith(Prefix + "TEST_", StringComparison.Ordinal)
                && !variable.StartsWith(Prefix + "BENCH_", StringComparison.Ordinal)
                && !Array.Exists(Options, option => VariableOf(option.Name[2..]) == variable))
            {
                yield return
                    $"The environment variable {variable} is not an option; unset it, or correct its name (--help lists the options).";
            }
        }

        foreach (var entry in Elsewhere.Value.GetSection("PushQueue").GetChildren())
        {
            if (!Array.Exists(Options, option => KeyOf(option.Name[2..]).Equals(entry.Key, StringComparison.OrdinalIgnoreCase)))
            {
                yield return
                    $"appsettings.json sets PushQueue:{entry.Key}, which is not an option; "
                    + "remove it, or correct its name (--help lists the options).";
            }
            else if (entry.GetChildren().Any() && !(IsList(entry.Key) && entry.GetChildren().All(static one => one.Value is not null)))
            {
                yield return $"appsettings.json sets PushQueue:{entry.Key} to a list or an object; "
                    + $"give one text{(IsList(entry.Key) ? ", or a list of texts" : "")}.";
            }
        }
    }

    private const string Prefix = "PUSHQUEUE_";

    private static string VariableOf(string name) => Prefix + name.Replace('-', '_').ToUpperInvariant();

    private static string KeyOf(string name) => name.Replace("-", "", StringComparison.Ordinal);

    private static bool IsList(string key) =>
        Array.Exists(
            Options, option => option is Option<string[]> && KeyOf(option.Name[2..]).Equals(key, StringComparison.OrdinalIgnoreCase));

    private static string? FromElsewhere(string name) => Environment.GetEnvironmentVariable(VariableOf(name)) ?? FromFile(KeyOf(name));

    /// <summary>A list stands for its values; an object, as of limits, for NAME=VALUE of each.</summary>
    private static string? FromFile(string key)
    {
        var section = Elsewhere.Value.GetSection("PushQueue:" + key);
        var values = section.GetChildren()
            .Select(static one => int.TryParse(one.Key, out _) ? one.Value : $"{one.Key}={one.Value}")
            .ToList();
        return values.Count > 0 ? string.Join(',', values) : section.Value;
    }
}
