using System.CommandLine;
using System.Globalization;
using PushQueue.Cli.Output;
using PushQueue.Client;

namespace PushQueue.Cli.Commands;

/// <summary>The common part of all commands: the server, the key, the form of the output, and how failures become exit codes.</summary>
internal static class Shared
{
    private static readonly Option<string> Server = new("--server", "-s")
    {
        Description = "The server, or several that share their queues, separated by commas (PUSHQUEUE_SERVER)",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("PUSHQUEUE_SERVER") ?? "http://127.0.0.1:8080",
    };

    private static readonly Option<string?> Key = new("--key")
    {
        Description = "The access key (PUSHQUEUE_KEY)",
        Recursive = true,
    };

    private static readonly Option<string?> Token = new("--token")
    {
        Description = "A token instead of a key, or @FILE, which is read again when the token ends (PUSHQUEUE_TOKEN)",
        Recursive = true,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "JSON on standard output, for scripts", Recursive = true };

    public static void AddTo(RootCommand root)
    {
        root.Options.Add(Server);
        root.Options.Add(Key);
        root.Options.Add(Token);
        root.Options.Add(Json);
    }

    public static Argument<string> Queue() => new("queue") { Description = "The queue's name" };

    /// <summary>Conditions on the headers of a message.</summary>
    public static Option<string[]> Where() => new("--where", "-w")
    {
        Description = "Only messages whose header has a value: tenant=7, tenant=7|8, or tenant for any; repeatable",
    };

    public static Argument<string> Id() => new("id") { Description = "The message's id" };

    public static Argument<string> Receipt() => new("receipt") { Description = "The receipt that came with the lease" };

    public static Option<DateTimeOffset?> Time(string name, string description) => new(name)
    {
        Description = $"{description}; like 2030-01-31T08:00:00Z",
        CustomParser = result =>
        {
            if (DateTimeOffset.TryParse(
                result.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var time))
            {
                return time;
            }

            result.AddError($"'{result.Tokens[0].Value}' is not a time; give one like 2030-01-31T08:00:00Z.");
            return null;
        },
    };

    public static Option<string?> Policy() => new Option<string?>("--policy")
    {
        Description = "broadcast or roundrobin: the policy of the queue if it has none yet",
    }.AcceptOnlyFromAmong("broadcast", "roundrobin");

    /// <summary>That there is no connection, once for each time that it goes.</summary>
    public static void Tell(Terminal terminal, Reconnecting reconnecting)
    {
        if (reconnecting.Attempt == 1)
        {
            terminal.Fail($"Connecting again: {reconnecting.Cause?.Detail ?? "the server asks for it."}", "reconnecting");
        }
    }

    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = $"{description}; like 30, 500ms, 5m",
        CustomParser = result =>
        {
            if (Durations.TryParse(result.Tokens[0].Value, out var duration))
            {
                return duration;
            }

            result.AddError($"'{result.Tokens[0].Value}' is not a duration; give one like 30 (seconds), 500ms, 5m or 2h.");
            return null;
        },
    };

    /// <summary>Runs a command with a client; tells what goes wrong on standard error.</summary>
    public static void Run(this Command command, Func<ParseResult, PushQueueClient, Terminal, CancellationToken, Task<int>> action) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var terminal = new Terminal(parsed.GetValue(Json));
            try
            {
                using var client = Connect(parsed);
                return await action(parsed, client, terminal, cancellationToken);
            }
            catch (PushQueueException e)
            {
                terminal.Fail(SentenceOf(e), e.Type);
                return e.Type == ProblemTypes.Unreachable ? ExitCodes.Unreachable
                    : e.Type == ProblemTypes.NotFound ? ExitCodes.Nothing
                    : ExitCodes.Failed;
            }
            catch (Exception e) when (e is UsageException or UriFormatException or ArgumentException)
            {
                terminal.Fail(e.Message, ProblemTypes.BadOption);
                return ExitCodes.Usage;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
            {
                terminal.Fail(e.Message, "failed");
                return ExitCodes.Failed;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCodes.Interrupted;
            }
            catch (Exception e)
            {
                // The border of the process: a fault of this tool is a sentence and an exit code, too.
                terminal.Fail($"{e.GetType().Name}: {e.Message}", "failed");
                return ExitCodes.Failed;
            }
        });

    /// <summary>The server's own sentences speak to programs; where what to do is a command of this tool they are said in its
    /// words.</summary>
    private static string SentenceOf(PushQueueException e) => e.Type switch
    {
        ProblemTypes.QueueStopped => "The queue is stopped and delivers nothing; start it with 'pushqueue queue start'.",
        ProblemTypes.NotRoundRobin => $"{e.Detail} With this tool: pushqueue queue policy QUEUE roundrobin.",
        ProblemTypes.Unauthorized => "The server requires a valid access key; give one with --key or PUSHQUEUE_KEY.",
        ProblemTypes.NotFound when e.Status is 404 => "There is no such message or queue.",
        _ => e.Detail,
    };

    private static async Task<string?> ReadTokenAsync(string token, CancellationToken cancellationToken) =>
        token.StartsWith('@') ? (await File.ReadAllTextAsync(token[1..], cancellationToken)).Trim() : token;

    private static PushQueueClient Connect(ParseResult parsed)
    {
        var servers = Array.ConvertAll(
            parsed.GetValue(Server)!.Split(',', StringSplitOptions.TrimEntries),
            server => new Uri(server.Contains("://", StringComparison.Ordinal) ? server : "http://" + server));
        var token = parsed.GetValue(Token) ?? Environment.GetEnvironmentVariable("PUSHQUEUE_TOKEN");
        if (token is not null && parsed.GetValue(Key) is not null)
        {
            throw new UsageException("--key and --token are both given; give one of them.");
        }

        return new PushQueueClient(new PushQueueClientOptions
        {
            AccessTokenProvider = token is null ? null : cancellationToken => ReadTokenAsync(token, cancellationToken),

            Server = servers[0],
            OtherServers = servers[1..],

            // Not a default of the option: the help shows those.
            Key = parsed.GetValue(Key) ?? Environment.GetEnvironmentVariable("PUSHQUEUE_KEY"),
        });
    }
}
