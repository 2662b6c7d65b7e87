using System.Buffers.Binary;
using System.Security.Cryptography;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>The queues that one stream asks for: some by name, others by patterns of their names.</summary>
internal sealed class QueueSelection
{
    /// <summary>The most queues that a stream may name.</summary>
    public const int NamesMax = 100;

    /// <summary>The most queues of a stream that only its patterns match.</summary>
    public const int MatchingMax = 1000;

    /// <summary>The most patterns of a stream.</summary>
    public const int PatternsMax = 20;

    private readonly HashSet<QueueName> _named;

    private QueueSelection(QueueName[] names, string[] patterns)
    {
        Names = names;
        Patterns = patterns;
        _named = [.. names];
        Id = IdOf(names, patterns);
    }

    public IReadOnlyList<QueueName> Names { get; }

    public IReadOnlyList<string> Patterns { get; }

    /// <summary>Differs from that of a stream over other names or patterns, whatever their order.</summary>
    public uint Id { get; }

    /// <returns>Null with a sentence where the names or patterns are not valid.</returns>
    public static QueueSelection? Create(IReadOnlyList<string?> names, IReadOnlyList<string?> patterns, out string whyNot)
    {
        whyNot = WhyNot(names, patterns) ?? "";
        var queues = new QueueName[names.Count];
        for (var i = 0; i < queues.Length && whyNot.Length == 0; i++)
        {
            whyNot = QueueName.TryParse(names[i], out queues[i], out var why) ? "" : why;
        }

        if (whyNot.Length == 0 && queues.Distinct().Count() < queues.Length)
        {
            whyNot = "A queue is given twice; give each queue once.";
        }

        return whyNot.Length == 0 ? new QueueSelection(queues, [.. patterns.Distinct(StringComparer.Ordinal)!]) : null;
    }

    public bool IsNamed(QueueName queue) => _named.Contains(queue);

    /// <summary>
    /// Whether the stream wants a queue. A dead-letter queue needs a pattern that ends in <c>.dead</c>, because its messages have been
    /// delivered already.
    /// </summary>
    public bool Wants(QueueName queue)
    {
        if (IsNamed(queue))
        {
            return true;
        }

        foreach (var pattern in Patterns)
        {
            if (NamePattern.Fits(pattern, queue.Value)
                && (!queue.IsDeadLetter || pattern.EndsWith(QueueName.DeadSuffix, StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    private static string? WhyNot(IReadOnlyList<string?> names, IReadOnlyList<string?> patterns)
    {
        if (names.Count == 0 && patterns.Count == 0)
        {
            return "The stream names no queue; give queue=NAME for each queue, or match=PATTERN, like match=orders.*";
        }

        if (names.Count > NamesMax)
        {
            return $"The stream names {names.Count} queues; the limit is {NamesMax}. Use match=PATTERN, or several streams.";
        }

        if (patterns.Count > PatternsMax)
        {
            return $"The stream has {patterns.Count} patterns; the limit is {PatternsMax}.";
        }

        foreach (var pattern in patterns)
        {
            // A pattern obeys the rules of the names that it can match.
            if (!QueueName.TryParse(pattern, out _, out var whyNot))
            {
                return $"A pattern in 'match' must follow the rules of a queue name: {whyNot}";
            }
        }

        return null;
    }

    private static uint IdOf(QueueName[] names, string[] patterns)
    {
        var text = string.Join('/', names.Select(static name => name.Value).Order(StringComparer.Ordinal))
            + "//" + string.Join('/', patterns.Order(StringComparer.Ordinal));
        return BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
    }
}
