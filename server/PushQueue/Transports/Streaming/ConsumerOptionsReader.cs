using System.Globalization;
using System.Text;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Transports.Streaming;

/// <summary>Reads the options of a stream, given as texts one by one, whether they came in a query, a command or a hub call.</summary>
/// <param name="isOverMany">The stream is over many queues: its cursor is another one, and it keeps no place.</param>
internal sealed class ConsumerOptionsReader(bool isOverMany = false)
{
    /// <summary>Longer than any reconnect takes; the messages of a consumer that is gone for good wait as long.</summary>
    private static readonly TimeSpan GraceMax = TimeSpan.FromMinutes(10);

    private ConsumerOptions _options = ConsumerOptions.Default;
    private bool _hasFrom;
    private string? _error;

    /// <summary>The first error, in one sentence; null where all options are right.</summary>
    public string? Error =>
        _error ?? (_options is { Ack: AckMode.Auto } && (_options.Grace > TimeSpan.Zero || _options.Token is not null)
            ? "The options 'grace' and 'consumer' need ack=manual."
            : null);

    public ConsumerOptions Options => _options;

    /// <summary>Where a stream over many queues resumes; null where it does not.</summary>
    public SetCursor? Cursor { get; private set; }

    public void Read(string name, string? value)
    {
        _error ??= name switch
        {
            "ack" => ReadAck(value),
            "prefetch" => ReadPrefetch(value),
            "ttr" => ReadTimeToRun(value),
            "format" => ReadFormat(value),
            "from" => ReadFrom(value),
            "overflow" => ReadOverflow(value),
            "worker" => ReadWorker(value),
            "who" => ReadWho(Encoding.UTF8.GetBytes(value ?? "")),
            "policy" => ReadPolicy(value),
            "grace" or "consumer" or "instance" when isOverMany =>
                $"The option '{name}' works only on streams of one queue; a stream over many queues returns its messages when it ends.",
            "grace" => ReadGrace(value),
            "consumer" => ReadToken(value),
            "instance" => ReadInstance(value),
            "lastEventId" => ReadLastEventId(value),
            "where" => ReadWhere(value),
            _ => $"There is no stream option '{name}'; the options are "
                + "ack, prefetch, ttr, format, from, overflow, worker, who, policy, grace, consumer, instance, where and lastEventId.",
        };
    }

    /// <summary>Refuses the options for a reason that was found elsewhere; null for none.</summary>
    public void Refuse(Problem? problem) => _error ??= problem?.Sentence;

    /// <summary>A browser sends this by itself when it connects again; it wins over <c>from</c>, which is still in its URL.</summary>
    public string? ReadLastEventId(string? value)
    {
        if (!string.IsNullOrEmpty(value) && isOverMany)
        {
            _hasFrom = true;
            return ReadSetCursor(value);
        }

        if (!string.IsNullOrEmpty(value))
        {
            _options = _options with { From = StartPosition.Resume(value) };
            _hasFrom = true;
        }

        return null;
    }

    /// <summary>One condition of a filter; the option comes once per condition.</summary>
    private string? ReadWhere(string? value)
    {
        if (!MessageFilter.TryParse([.. _options.Filter?.Conditions ?? [], value ?? string.Empty], out var filter, out var whyNot))
        {
            return whyNot;
        }

        _options = _options with { Filter = filter };
        return null;
    }

    private string? ReadAck(string? value)
    {
        switch (value)
        {
            case "auto":
                _options = _options with { Ack = AckMode.Auto };
                return null;
            case "manual":
                _options = _options with { Ack = AckMode.Manual };
                return null;
            default:
                return "The option 'ack' must be auto or manual.";
        }
    }

    private string? ReadPrefetch(string? value)
    {
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var prefetch)
            || prefetch is < 1 or > ConsumerOptions.PrefetchMax)
        {
            return $"The option 'prefetch' must be a number from 1 to {ConsumerOptions.PrefetchMax}.";
        }

        _options = _options with { Prefetch = prefetch };
        return null;
    }

    private string? ReadTimeToRun(string? value)
    {
        if (!Duration.TryParse(value, out var timeToRun) || timeToRun < OptionValues.TimeToRunMin || timeToRun > OptionValues.TimeToRunMax)
        {
            return "The option 'ttr' must be a duration from 100ms to 24h, like 30, 500ms or 5m.";
        }

        _options = _options with { TimeToRun = timeToRun };
        return null;
    }

    private string? ReadFormat(string? value)
    {
        switch (value)
        {
            case "envelope":
            case "raw":
                _options = _options with { Raw = value is "raw" };
                return null;
            default:
                return "The option 'format' must be envelope or raw.";
        }
    }

    private string? ReadFrom(string? value)
    {
        if (_hasFrom)
        {
            return null;
        }

        var isStart = StartPosition.TryParse(value, out var start);
        if (isOverMany && !(isStart && start.Kind is StartKind.Live or StartKind.Earliest or StartKind.Back))
        {
            return ReadSetCursor(value ?? "");
        }

        if (!isStart)
        {
            return "The option 'from' must be earliest, latest, latest-per-key, an offset, -N for N messages back, or a cursor of a stream "
                + "(EPOCH.OFFSET).";
        }

        _options = _options with { From = start };
        return null;
    }

    private string? ReadSetCursor(string value)
    {
        if (value.Length <= SetCursor.CharsMax && StartPosition.TryParse(value, out _))
        {
            return "Offsets, latest-per-key and cursors with a point belong to streams of one queue; begin a stream over many queues at "
                + "earliest, latest, -N (N messages back in each queue) or its own cursor.";
        }

        _ = SetCursor.TryParse(value, out var cursor);
        Cursor = cursor;
        return cursor is null
            ? "The cursor is incomplete, or does not belong to a stream over many queues; give the last cursor of such a stream, or "
                + "leave it out."
            : null;
    }

    private string? ReadOverflow(string? value)
    {
        OverflowPolicy? policy = value switch
        {
            "disconnect" => OverflowPolicy.Disconnect,
            "drop-oldest" => OverflowPolicy.DropOldest,
            "latest" => OverflowPolicy.Latest,
            _ => null,
        };
        _options = _options with { Overflow = policy ?? _options.Overflow };
        return policy is null ? "The option 'overflow' must be disconnect, drop-oldest or latest." : null;
    }

    private string? ReadGrace(string? value)
    {
        if (!Duration.TryParse(value, out var grace) || grace > GraceMax)
        {
            return "The option 'grace' must be a duration from 0 to 10m, like 10, 500ms or 1m.";
        }

        _options = _options with { Grace = grace };
        return null;
    }

    private string? ReadToken(string? value)
    {
        if (value is not { Length: 32 })
        {
            return "The option 'consumer' must be the token in the first event of an earlier stream, 32 characters long.";
        }

        _options = _options with { Token = value };
        return null;
    }

    private string? ReadInstance(string? value)
    {
        if (OptionValues.Text("instance", value ?? string.Empty, out var instance) is { } problem)
        {
            return problem.Sentence;
        }

        _options = _options with { Instance = instance };
        return null;
    }

    private string? ReadPolicy(string? value)
    {
        if (OptionValues.Policy(value ?? string.Empty, out var policy) is { } problem)
        {
            return problem.Sentence;
        }

        _options = _options with { Policy = policy };
        return null;
    }

    /// <summary>An object of a frame or a call; in a query it is text.</summary>
    public string? ReadWho(ReadOnlySpan<byte> json)
    {
        if (json.Length is 0 or > ConsumerOptions.WhoBytesMax || json.TrimStart(" \t\r\n"u8) is not [(byte)'{', ..]
            || !JsonBody.IsValid(json))
        {
            return _error ??= $"The option 'who' must be a JSON object of at most {ConsumerOptions.WhoBytesMax} bytes.";
        }

        _options = _options with { Who = json.ToArray() };
        return null;
    }

    private string? ReadWorker(string? value)
    {
        if (OptionValues.Text("worker", value ?? string.Empty, out var worker) is { } problem)
        {
            return problem.Sentence;
        }

        _options = _options with { Worker = worker };
        return null;
    }
}
