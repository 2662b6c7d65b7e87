using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Describes failures of Redis and of the network. A description is the end of a sentence that begins with "Redis", or with "Redis at
/// ADDRESS" in logs: clients learn what is wrong, but not where Redis is, nor the words of Redis, which may name servers and users.
/// </summary>
internal static class RedisFailure
{
    /// <summary>Null if the exception is not a failure of Redis or of the network.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        TimeoutException => "does not answer",
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } => "refuses the user name or the password",
        RedisConnectionException or ObjectDisposedException => "cannot be reached",
        RedisServerException e => DescribeError(e),
        RedisException or RedisCommandException => "accepts no writes at the moment",
        _ => null,
    };

    /// <summary>Whether Redis refused a command because its user may not run it, or may not use its keys or channels.</summary>
    public static bool IsMissingRight(Exception? exception) => exception is RedisServerException e
        && (e.Kind == RedisErrorKind.NoPermission || e.Message.Contains("The user executing the script can't", StringComparison.Ordinal));

    /// <summary>Whether Redis serves, but not this key: the key holds something else, or content that a script cannot work with.</summary>
    public static bool IsOfOneKey(Exception? exception) => exception is RedisServerException e
        && !IsMissingRight(e)
        && (e.Message.Contains("WRONGTYPE", StringComparison.Ordinal) || e.Message.Contains("user_script", StringComparison.Ordinal))
        && !e.Message.Contains("OOM", StringComparison.Ordinal)
        && !e.Message.Contains("READONLY", StringComparison.Ordinal);

    /// <summary>Whether the failure may end without a change of settings, data or address.</summary>
    public static bool MayRecover(StoreUnavailableException failure) => failure.InnerException is not RedisServerException
    {
        Kind: RedisErrorKind.NoAuth or RedisErrorKind.WrongPass or RedisErrorKind.NoPermission or RedisErrorKind.WrongType
            or RedisErrorKind.ReadOnly or RedisErrorKind.UnknownCommand
    };

    /// <summary>The sentence for operators, with the address.</summary>
    public static string Located(StoreUnavailableException failure, string address)
    {
        const string Subject = "Redis ";
        var sentence = failure.Message.StartsWith(Subject, StringComparison.Ordinal)
            ? $"Redis at {address} {failure.Message[Subject.Length..]}"
            : failure.Message;
        return failure.InnerException is RedisServerException words ? $"{sentence} Redis says '{Quoted(words.Message)}'." : sentence;
    }

    /// <summary>Text of the server for a sentence: one line, of bounded length, without its full stop.</summary>
    public static string Quoted(string text)
    {
        const int Longest = 200;
        return (text.Length <= Longest ? text : text[..Longest]).ReplaceLineEndings(" ").Trim().TrimEnd('.');
    }

    // A script passes the error of a command on with other words around it, so the kind is not always recognized.
    private static string DescribeError(RedisServerException exception) => exception.Kind switch
    {
        RedisErrorKind.OutOfMemory => OutOfMemory,
        RedisErrorKind.WrongType => ForeignKey,
        RedisErrorKind.ReadOnly => "is a read-only replica; give the address of the master",
        RedisErrorKind.NoAuth or RedisErrorKind.WrongPass => "refuses the user name or the password",
        RedisErrorKind.Loading => "is still reading its data",

        // The text of these names servers.
        RedisErrorKind.Moved or RedisErrorKind.Ask or RedisErrorKind.UnknownRedirectTarget => Moving,
        _ when exception.Message.Contains("hashslot", StringComparison.OrdinalIgnoreCase) => Moving,
        _ when IsMissingRight(exception) =>
            "does not grant its user all needed rights; docs/redis.md lists them",
        _ when exception.Message.Contains("OOM", StringComparison.Ordinal) => OutOfMemory,
        _ when exception.Message.Contains("WRONGTYPE", StringComparison.Ordinal) => ForeignKey,
        _ => "refuses the command; the server's log has the answer of Redis",
    };

    private const string Moving = "is moving the queue to another of its servers, or that server cannot be reached";

    private const string OutOfMemory = "is out of memory (maxmemory) and stored nothing. Take messages, or give it more memory";

    private const string ForeignKey =
        "contains a key of another program under a name that PushQueue uses. Remove that key, or set another prefix with --redis-prefix";
}
