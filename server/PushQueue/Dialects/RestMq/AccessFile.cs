using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Dialects.RestMq;

/// <summary>
/// The access file, reread when it changes. Whether it did is asked of the file system with each request: that costs about a microsecond
/// and misses nothing, where a watcher of files is blind to some of the ways in which editors and containers replace them.
/// </summary>
internal sealed partial class AccessFile
{
    private const long BytesMax = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly ILogger<AccessFile> _logger;
    private readonly string? _path;
    private AccessRules _rules;
    private FileStamp? _version;

    /// <exception cref="PushQueueStartException">The file cannot be read, or is wrong.</exception>
    public AccessFile(RestMqOptions options, ILogger<AccessFile> logger)
    {
        _logger = logger;
        _path = options.AccessFile;
        _version = VersionNow();
        _rules = _path is null ? new AccessRules()
            : Read(_path, out var whyNot) ?? throw new PushQueueStartException(whyNot!);
    }

    /// <summary>The rules as they are now.</summary>
    public AccessRules Rules
    {
        get
        {
            if (_path is not null && VersionNow() != _version)
            {
                Reread();
            }

            return Volatile.Read(ref _rules);
        }
    }

    /// <summary>Reads a file; null where that fails, and then <paramref name="whyNot"/> is a sentence that names the switch.</summary>
    public static AccessRules? Read(string path, out string? whyNot)
    {
        whyNot = null;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > BytesMax })
            {
                whyNot = $"RestMq.AccessFile (--acl) '{path}' is larger than an access file can be.";
                return null;
            }

            var rules = AccessRules.Parse(File.ReadAllText(path), out var errors);
            whyNot = rules is null ? $"RestMq.AccessFile (--acl) '{path}' is wrong: {string.Join("; ", errors)}." : null;
            return rules;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            whyNot = $"RestMq.AccessFile (--acl) '{path}' cannot be read: {e.Message}";
            return null;
        }
    }

    private void Reread()
    {
        lock (_gate)
        {
            // Noted before reading: what changes meanwhile is read again with the next request.
            var version = VersionNow();
            if (version == _version)
            {
                return;
            }

            _version = version;
            if (Read(_path!, out var whyNot) is { } rules)
            {
                Volatile.Write(ref _rules, rules);
                Log.Reread(_logger, _path!);
            }
            else
            {
                Log.KeptOldRules(_logger, whyNot!);
            }
        }
    }

    private FileStamp? VersionNow()
    {
        try
        {
            return _path is null ? null : FileStamp.Of(_path);
        }
        catch (IOException)
        {
            // Links that lead in a circle: as good as no file.
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(610, LogLevel.Information, "The access file {Path} has changed; its new rules apply")]
        public static partial void Reread(ILogger logger, string path);

        [LoggerMessage(611, LogLevel.Warning, "{WhyNot} The former rules still apply")]
        public static partial void KeptOldRules(ILogger logger, string whyNot);
    }
}
