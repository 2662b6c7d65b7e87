using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>
/// The permissions of callers, by the access file as it was last read without an error. Without a file everybody may do everything.
/// Adapters ask <see cref="CallerOf(HttpContext)"/>; connections that last ask <see cref="Again"/> now and then, for the file may have
/// changed meanwhile.
/// </summary>
internal sealed partial class AccessControl(SecurityOptions options, TimeProvider time, ILogger<AccessControl> logger)
{
    private const string ExpiryClaim = "exp";

    /// <summary>The end of the year 9999, beyond which a time has no form.</summary>
    private const long SecondsMax = 253_402_300_799;

    private readonly Dictionary<string, KeyMeter> _meters = new(StringComparer.Ordinal);
    private readonly KeyMeter _userMeter = new(time);
    private volatile AccessRules _rules = new([]);
    private FileStamp? _stamp;
    private int _version;

    public bool Enabled => File is not null || options.GrantsOf is not null;

    /// <summary>Grows with every change of the rules.</summary>
    public int Version => Volatile.Read(ref _version);

    private string? File => options.AccessFile;

    /// <summary>Reads the file for the first time.</summary>
    /// <exception cref="PushQueueStartException">It is missing or wrong.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (File is null)
        {
            return;
        }

        try
        {
            _stamp = FileStamp.Of(File);
            Use(AccessFile.Read(await System.IO.File.ReadAllBytesAsync(File, cancellationToken)));
            Log.Loaded(logger, File, _rules.Count);
        }
        catch (Exception e) when (e is AccessFileException or IOException or UnauthorizedAccessException)
        {
            throw new PushQueueStartException($"The access file {File} (--auth) cannot be used: {e.Message}", e);
        }
    }

    /// <summary>
    /// Reads the file again where it has changed. One that is wrong or gone changes nothing and is logged, once per change.
    /// </summary>
    public async Task ReloadAsync(CancellationToken cancellationToken)
    {
        if (File is null)
        {
            return;
        }

        try
        {
            if (FileStamp.Of(File) is var stamp && stamp == _stamp)
            {
                return;
            }

            // Remembered first: what changes while it is read is read once more.
            _stamp = stamp;
            Use(AccessFile.Read(await System.IO.File.ReadAllBytesAsync(File, cancellationToken)));
            Log.Loaded(logger, File, _rules.Count);
        }
        catch (Exception e) when (e is AccessFileException or IOException or UnauthorizedAccessException)
        {
            Log.NotLoaded(logger, File, e.Message);
        }
    }

    /// <summary>Tokens have ended before their time: open connections check their rights again.</summary>
    public void NoteTokensEnded() => _ = Interlocked.Increment(ref _version);

    /// <summary>Whose key this is; null with a sentence where nobody's.</summary>
    public Caller? Find(ReadOnlySpan<char> key, out string whyNot)
    {
        if (key.IsEmpty)
        {
            whyNot = "This server requires a key; send it as Authorization: Bearer KEY, or by HTTP Basic as the password.";
            return null;
        }

        var caller = _rules.Find(key);
        if (caller is null || HasExpired(caller))
        {
            whyNot = caller is null
                ? "The key is not known; ask the operator for one."
                : "The key has expired; ask the operator for a new one.";
            return null;
        }

        whyNot = "";
        return caller;
    }

    /// <summary>The caller of a key's id; null where the key is gone or has expired.</summary>
    public Caller? FindById(string id) => _rules.FindById(id) is { } caller && !HasExpired(caller) ? caller : null;

    /// <summary>
    /// The caller for a user whom the application has authenticated; null where it has not, or where its users count for nothing here.
    /// </summary>
    public Caller? FindUser(ClaimsPrincipal? user)
    {
        if (options.GrantsOf is not { } grantsOf || user is not { Identity.IsAuthenticated: true } || HasExpired(user))
        {
            return null;
        }

        return user as Caller ?? new Caller(user, [.. grantsOf(user).Select(static grant => grant.Access)], _userMeter);
    }

    /// <summary>
    /// The caller of a request that <see cref="Find"/> has let in. Without rules the request is not asked for its user: it would make
    /// one.
    /// </summary>
    public Caller CallerOf(HttpContext context) => Enabled ? CallerOf(context.User) : Caller.Everybody;

    /// <summary>The caller of a connection.</summary>
    public Caller CallerOf(ClaimsPrincipal? user) => Enabled ? user as Caller ?? Caller.Nobody : Caller.Everybody;

    /// <summary>The caller under the rules as they are now; null where the key is gone or has expired.</summary>
    public Caller? Again(Caller caller)
    {
        if (caller.User is not null)
        {
            return FindUser(caller.User);
        }

        var now = caller.Key is null ? caller : _rules.Find(caller.Key);
        if (now is null || HasExpired(now))
        {
            return null;
        }

        return caller.Token is not { } token ? now
            : HasExpired(caller) ? null
            : ReferenceEquals(now.Key, caller.Key) ? caller
            : new Caller(now, token);
    }

    /// <summary>By the claim <c>exp</c> of RFC 7519, which a connection can outlast.</summary>
    private bool HasExpired(ClaimsPrincipal user) => SecondsOf(user) is { } seconds && time.GetUtcNow().ToUnixTimeSeconds() >= seconds;

    private static long? SecondsOf(ClaimsPrincipal user) =>
        user.FindFirst(ExpiryClaim) is { } claim
        && long.TryParse(claim.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? Math.Min(seconds, SecondsMax)
            : null;

    /// <summary>Whether the caller's key, token or user has ended, or the secret of the token was replaced.</summary>
    public bool HasExpired(Caller caller) =>
        caller.Token?.SignedBy is { IsReplaced: true } || (ExpiresAt(caller) is { } expires && time.GetUtcNow() >= expires);

    /// <summary>When the key, the token or the user of a caller ends; null for never.</summary>
    public static DateTimeOffset? ExpiresAt(Caller caller)
    {
        if (caller.User is not null)
        {
            return SecondsOf(caller.User) is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
        }

        var ofKey = caller.Key?.Expires;
        return caller.Token is not { } token ? ofKey : ofKey < token.Expires ? ofKey : token.Expires;
    }

    private void Use(IReadOnlyList<AccessKey> keys)
    {
        foreach (var gone in _meters.Keys.Except(keys.Select(static key => key.Id), StringComparer.Ordinal).ToArray())
        {
            _meters.Remove(gone);
        }

        _rules = new AccessRules(keys.Select(key =>
        {
            var meter = _meters.GetValueOrDefault(key.Id) ?? new KeyMeter(time);
            _meters[key.Id] = meter;
            return new Caller(key, meter);
        }));
        _ = Interlocked.Increment(ref _version);
    }

    private static partial class Log
    {
        [LoggerMessage(800, LogLevel.Information, "The access file {File} applies, with {Keys} keys")]
        public static partial void Loaded(ILogger logger, string file, int keys);

        [LoggerMessage(
            801, LogLevel.Warning, "The access file {File} has changed but cannot be used; the former rules still apply: {Reason}")]
        public static partial void NotLoaded(ILogger logger, string file, string reason);
    }
}
