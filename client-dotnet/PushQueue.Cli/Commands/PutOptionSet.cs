using System.CommandLine;
using PushQueue.Client;

namespace PushQueue.Cli.Commands;

/// <summary>The options with which messages are put.</summary>
internal sealed class PutOptionSet
{
    private readonly Option<string?> _id = new("--id") { Description = "The message's id; putting it again stores nothing" };
    private readonly Option<TimeSpan?> _delay = Shared.Duration("--delay", "Available after this");
    private readonly Option<DateTimeOffset?> _at = Shared.Time("--at", "Available from this time");
    private readonly Option<TimeSpan?> _ttl = Shared.Duration(
        "--ttl", "Dropped if no consumer takes it within this time after it became available");
    private readonly Option<int?> _priority = new("--priority", "-p") { Description = "0 to 9; higher goes first" };
    private readonly Option<string?> _unique = new("--unique") { Description = "Refused while a message with that key waits" };
    private readonly Option<string?> _key = new("--message-key", "-k") { Description = "The key of the message, such as customer-7" };
    private readonly Option<string[]> _headers = new("--header", "-H") { Description = "A header of the message, NAME=VALUE; repeatable" };
    private readonly Option<int?> _maxAttempts = new("--max-attempts") { Description = "1 to 1000 leases before it is dead-lettered" };
    private readonly Option<string?> _retryDelay = new("--retry-delay")
    {
        Description = "The wait after a failed attempt: 5s, or exponential:1s..5m",
    };
    private readonly Option<TimeSpan?> _waitForAck = Shared.Duration(
        "--wait-for-ack", "Answer when the message has ended, at most after this");
    private readonly Option<string?> _policy = Shared.Policy();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])
            [_id, _delay, _at, _ttl, _priority, _unique, _key, _headers, _maxAttempts, _retryDelay, _waitForAck, _policy])
        {
            command.Options.Add(option);
        }
    }

    private static Dictionary<string, string>? ReadHeaders(string[]? given)
    {
        if (given is not { Length: > 0 })
        {
            return null;
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var header in given)
        {
            if (header.Split('=', 2) is not [{ Length: > 0 } name, var value])
            {
                throw new UsageException($"--header '{header}': give NAME=VALUE.");
            }

            if (!headers.TryAdd(name, value))
            {
                throw new UsageException($"--header gives '{name}' twice.");
            }
        }

        return headers;
    }

    public PutOptions Read(ParseResult parsed) => new()
    {
        Id = parsed.GetValue(_id),
        Delay = parsed.GetValue(_delay),
        At = parsed.GetValue(_at),
        TimeToLive = parsed.GetValue(_ttl),
        Priority = parsed.GetValue(_priority),
        UniqueKey = parsed.GetValue(_unique),
        Key = parsed.GetValue(_key),
        Headers = ReadHeaders(parsed.GetValue(_headers)),
        MaxAttempts = parsed.GetValue(_maxAttempts),
        RetryDelay = parsed.GetValue(_retryDelay),
        WaitForAck = parsed.GetValue(_waitForAck),
        Policy = parsed.GetValue(_policy),
    };
}
