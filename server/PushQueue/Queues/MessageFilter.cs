using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace PushQueue.Queues;

/// <summary>
/// Selects messages by their headers. Each condition names a header: <c>tenant=7</c> for that value, <c>tenant=7|8</c> for any of several,
/// <c>tenant</c> for a message that has the header. All conditions must hold. Immutable; compared by its conditions, so that consumers with
/// equal filters share what is made for them.
/// </summary>
internal sealed class MessageFilter : IEquatable<MessageFilter>
{
    /// <summary>Enough for every header that a message can have.</summary>
    public const int ConditionsMax = MessageHeaders.CountMax;

    /// <summary>Characters of all conditions together.</summary>
    public const int CharsMax = MessageHeaders.BytesMax;

    /// <summary>
    /// How many ready messages one take looks at for those that match. A search that reads a backlog of any length would hold up the puts
    /// and takes of others.
    /// </summary>
    public const int SearchMax = 10_000;

    private const string Example = "Write tenant=7, tenant=7|8 or tenant.";

    private readonly Condition[] _conditions;

    private MessageFilter(Condition[] conditions)
    {
        _conditions = conditions;
        Text = string.Join('&', conditions.Select(static condition => condition.Text));
    }

    /// <summary>The conditions as a client writes them, in the order of their headers.</summary>
    public IReadOnlyList<string> Conditions => Array.ConvertAll(_conditions, static condition => condition.Text);

    /// <summary>All conditions as one text. Equal filters have equal texts.</summary>
    public string Text { get; }

    /// <summary>
    /// The filter as scripts read it: per condition the length of the header's name (1 byte), the name, how many values (2 bytes, 0 for
    /// presence), and each value behind its length (2 bytes); numbers are big-endian.
    /// </summary>
    public byte[] Packed()
    {
        var packed = new List<byte>();
        foreach (var condition in _conditions)
        {
            packed.Add((byte)condition.Name.Length);
            packed.AddRange(condition.Name);
            AddUInt16(condition.Values.Length);
            foreach (var value in condition.Values)
            {
                AddUInt16(value.Length);
                packed.AddRange(value);
            }
        }

        return [.. packed];

        void AddUInt16(int value)
        {
            packed.Add((byte)(value >> 8));
            packed.Add((byte)value);
        }
    }

    /// <summary>Reads a filter.</summary>
    /// <param name="conditions">The conditions, one a header.</param>
    /// <param name="filter">The filter; null where there is no condition.</param>
    /// <param name="whyNot">A sentence about the condition that is wrong.</param>
    public static bool TryParse(IEnumerable<string> conditions, out MessageFilter? filter, [NotNullWhen(false)] out string? whyNot)
    {
        filter = null;
        whyNot = null;
        var parsed = new List<Condition>();
        var chars = 0;
        foreach (var condition in conditions)
        {
            chars += condition.Length;
            whyNot = chars > CharsMax ? $"The conditions of a filter may have at most {CharsMax} characters together."
                : parsed.Count == ConditionsMax ? $"A filter may have at most {ConditionsMax} conditions."
                : Read(condition, parsed);
            if (whyNot is not null)
            {
                return false;
            }
        }

        if (parsed.Count > 0)
        {
            parsed.Sort(static (a, b) => string.CompareOrdinal(a.Text, b.Text));
            filter = new MessageFilter([.. parsed]);
        }

        return true;
    }

    /// <summary>Whether a message with these headers is selected.</summary>
    public bool Matches(MessageHeaders? headers)
    {
        // hot path: each message of a filtered stream, each ready message that a filtered take looks at.
        if (headers is null)
        {
            return false;
        }

        foreach (var condition in _conditions)
        {
            if (!headers.TryGet(condition.Name, out var value) || !condition.Allows(value))
            {
                return false;
            }
        }

        return true;
    }

    public bool Equals(MessageFilter? other) => other is not null && Text == other.Text;

    public override bool Equals(object? obj) => Equals(obj as MessageFilter);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;

    private static string? Read(string text, List<Condition> conditions)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? text : text[..equals];
        if (MessageHeadersBuilder.WhyNotName(name) is { } badName)
        {
            return $"A condition in 'where' begins with the name of a header. {Example} {badName}";
        }

        if (QueueName.Utf8Length(text) < 0 || text.Any(char.IsControl))
        {
            return "A value in 'where' must be valid Unicode without control characters, as header values are.";
        }

        var header = name.ToLowerInvariant();
        if (conditions.Exists(other => other.Header == header))
        {
            return $"'where' names the header '{header}' twice; write {header}=7|8 for any of several values.";
        }

        conditions.Add(new Condition(header, equals < 0 ? [] : text[(equals + 1)..].Split('|')));
        return null;
    }

    /// <param name="header">The name of the header, in lower case.</param>
    /// <param name="values">The values of which one must be the header's; empty where the header need only be there.</param>
    private sealed class Condition(string header, string[] values)
    {
        public string Header => header;

        public string Text { get; } = values.Length == 0 ? header : $"{header}={string.Join('|', values)}";

        public byte[] Name { get; } = Encoding.ASCII.GetBytes(header);

        public byte[][] Values { get; } = Array.ConvertAll(values, Encoding.UTF8.GetBytes);

        public bool Allows(ReadOnlySpan<byte> value)
        {
            foreach (var allowed in Values)
            {
                if (value.SequenceEqual(allowed))
                {
                    return true;
                }
            }

            return Values.Length == 0;
        }
    }
}
