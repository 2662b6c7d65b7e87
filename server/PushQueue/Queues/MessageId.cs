using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PushQueue.Queues;

/// <summary>
/// A message's id: the client's own text (1 to 255 bytes of UTF-8) or the queue's next number. The number 12 and the text "12" are
/// the same id; numbers are kept as numbers because a million of them must fit into little memory.
/// </summary>
internal readonly struct MessageId : IEquatable<MessageId>
{
    public const int BytesMax = 255;

    private readonly string? _text;

    private MessageId(long number, string? text)
    {
        Number = number;
        _text = text;
    }

    /// <summary>The number; 0 if the id is not a positive number in its canonical form.</summary>
    public long Number { get; }

    public bool IsNumber => _text is null;

    public static MessageId FromNumber(long number) => new(number, null);

    public static bool TryParse(string? text, out MessageId id, [NotNullWhen(false)] out string? whyNot)
    {
        id = default;
        whyNot = null;
        if (string.IsNullOrEmpty(text))
        {
            whyNot = "A message id is missing; give 1 to 255 bytes of UTF-8.";
            return false;
        }

        var bytes = QueueName.Utf8Length(text);
        if (bytes is < 0 or > BytesMax)
        {
            whyNot = bytes < 0
                ? "A message id must be valid Unicode."
                : $"A message id may be at most {BytesMax} bytes of UTF-8; this one has {bytes}.";
            return false;
        }

        if (text is "." or "..")
        {
            whyNot = "A message id must not be '.' or '..', because URLs cannot contain them.";
            return false;
        }

        foreach (var c in text)
        {
            if (char.IsControl(c))
            {
                whyNot = "A message id must not contain control characters.";
                return false;
            }
        }

        // Only the canonical form is the number: "012" and "+12" are texts of their own.
        id = text[0] is >= '1' and <= '9' && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new MessageId(number, null)
            : new MessageId(0, text);
        return true;
    }

    /// <exception cref="ArgumentException">The id breaks a rule.</exception>
    public static MessageId Parse(string text) =>
        TryParse(text, out var id, out var whyNot) ? id : throw new ArgumentException(whyNot, nameof(text));

    public bool Equals(MessageId other) => Number == other.Number && string.Equals(_text, other._text, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is MessageId other && Equals(other);

    public override int GetHashCode() => _text is null ? Number.GetHashCode() : string.GetHashCode(_text, StringComparison.Ordinal);

    public override string ToString() => _text ?? Number.ToString(CultureInfo.InvariantCulture);

    public static bool operator ==(MessageId left, MessageId right) => left.Equals(right);

    public static bool operator !=(MessageId left, MessageId right) => !left.Equals(right);
}
