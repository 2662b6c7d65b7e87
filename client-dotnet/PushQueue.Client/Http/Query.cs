using System.Globalization;
using System.Text;
using PushQueue.Client.Wire;

namespace PushQueue.Client.Http;

/// <summary>A path with a query, written piece by piece. Parts that are null are left out.</summary>
internal sealed class Query(string path)
{
    private readonly StringBuilder _text = new(path);
    private char _separator = '?';

    /// <summary>A queue name or an id as a segment of a path.</summary>
    public static string Segment(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);

        // A path with such a segment is shortened on its way, and then names something else: a queue instead of a message, say.
        return name is "." or ".."
            ? throw new PushQueueException(ProblemTypes.BadOption, "A queue or an id must not be '.' or '..', because URLs cannot "
                + "contain them.")
            : Uri.EscapeDataString(name);
    }

    public Query Add(string name, string? value)
    {
        if (value is not null)
        {
            _text.Append(_separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            _separator = '&';
        }

        return this;
    }

    public Query Add(string name, int? value) => Add(name, value?.ToString(CultureInfo.InvariantCulture));

    public Query Add(string name, TimeSpan? value) => Add(name, Duration.Format(value));

    /// <summary>The option once per condition.</summary>
    public Query AddWhere(IReadOnlyList<string>? conditions)
    {
        foreach (var condition in conditions ?? [])
        {
            Add("where", condition);
        }

        return this;
    }

    public Query Add(PutOptions? options) => options is null
        ? this
        : Add("id", options.Id)
            .Add("delay", options.Delay)
            .Add("at", options.At?.ToString("O", CultureInfo.InvariantCulture))
            .Add("ttl", options.TimeToLive)
            .Add("priority", options.Priority)
            .Add("unique", options.UniqueKey)
            .Add("key", options.Key)
            .Add("maxAttempts", options.MaxAttempts)
            .Add("retryDelay", options.RetryDelay)
            .Add("policy", options.Policy)
            .Add("waitForAck", options.WaitForAck);

    public override string ToString() => _text.ToString();
}
