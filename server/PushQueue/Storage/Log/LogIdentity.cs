using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace PushQueue.Storage.Log;

/// <summary>
/// Two files that say what a data folder holds. <c>store</c> has the id that all segments of the log bear. <c>stopped</c> exists after an
/// orderly stop and says where the log ended, so that the next start notices a missing end.
/// </summary>
internal sealed partial class LogIdentity
{
    private const string StoreFile = "store";
    private const string StoppedFile = "stopped";

    private readonly string _storePath;
    private readonly string _stoppedPath;
    private readonly ILogger _logger;
    private bool _storeIsWritten;

    public LogIdentity(string directory, ILogger logger)
    {
        _storePath = Path.Combine(directory, StoreFile);
        _stoppedPath = Path.Combine(directory, StoppedFile);
        _logger = logger;
        ReadStore();
        ReadStopped();
    }

    /// <summary>The store's id; null where the folder does not say.</summary>
    public Guid? Store { get; private set; }

    /// <summary>The last segment at the orderly stop; null after a crash.</summary>
    public SegmentExtent? StoppedAt { get; private set; }

    public static Guid NewStore() => new(RandomNumberGenerator.GetBytes(16));

    /// <summary>Gives an id to a folder that has none.</summary>
    public void Adopt(Guid store) => Store = store;

    /// <summary>A segment with the store's id is on disk: the folder is in use from here on.</summary>
    public void SegmentBegun(bool flush)
    {
        if (!_storeIsWritten)
        {
            FolderMark.Write(_storePath, Store!.Value.ToString("N"), flush);
            _storeIsWritten = true;
        }

        if (StoppedAt is not null || File.Exists(_stoppedPath))
        {
            File.Delete(_stoppedPath);
            StoppedAt = null;
        }
    }

    /// <summary>Notes the end of the log at an orderly stop.</summary>
    public void Stopped(SegmentExtent last, bool flush)
    {
        try
        {
            var line = string.Create(CultureInfo.InvariantCulture, $"{Store:N} {last.Number} {last.Salt} {last.Length} {last.Messages}");
            FolderMark.Write(_stoppedPath, line, flush);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNoStopMark(_logger, _stoppedPath, exception);
        }
    }

    private void ReadStore()
    {
        var words = FolderMark.Read(_storePath);
        if (words is [var word] && Guid.TryParseExact(word, "N", out var store))
        {
            Store = store;
            _storeIsWritten = true;
        }
        else if (words is not null)
        {
            LogDamagedMark(_logger, _storePath);
        }
    }

    private void ReadStopped()
    {
        var words = FolderMark.Read(_stoppedPath);
        if (words is [var store, var number, var salt, var length, var messages])
        {
            StoppedAt = store == Store?.ToString("N")
                ? new SegmentExtent(
                    int.Parse(number, CultureInfo.InvariantCulture),
                    uint.Parse(salt, CultureInfo.InvariantCulture),
                    long.Parse(length, CultureInfo.InvariantCulture),
                    long.Parse(messages, CultureInfo.InvariantCulture))
                : null;
        }
        else if (words is not null)
        {
            LogDamagedMark(_logger, _stoppedPath);
        }
    }

    [LoggerMessage(1040, LogLevel.Warning, "The file {File} is damaged; the segments of the log are read without it")]
    private static partial void LogDamagedMark(ILogger logger, string file);

    [LoggerMessage(1041, LogLevel.Warning, "The file {File} cannot be written; the next start treats this stop as a crash")]
    private static partial void LogNoStopMark(ILogger logger, string file, Exception exception);
}
