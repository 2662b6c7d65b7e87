using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace PushQueue.Queues;

/// <summary>
/// A valid queue name: 1 to 255 bytes of UTF-8 without control characters and without <c>/</c>. Raw text stops at the edge.
/// </summary>
internal readonly record struct QueueName
{
    public const int BytesMax = 255;

    /// <summary>The suffix of a dead-letter queue. A dead-letter queue has no dead-letter queue of its own.</summary>
    public const string DeadSuffix = ".dead";

    private QueueName(string value)
    {
        Value = value;
    }

    public string Value { get; }

    public bool IsDeadLetter => Value.EndsWith(DeadSuffix, StringComparison.Ordinal) && Value.Length > DeadSuffix.Length;

    /// <summary>The queue that takes the dead letters of this one. May be five bytes longer than other names can be.</summary>
    public QueueName DeadLetter => new(Value + DeadSuffix);

    /// <summary>The queue whose dead letters this one holds; itself unless it is a dead-letter queue.</summary>
    public QueueName Source => IsDeadLetter ? new(Value[..^DeadSuffix.Length]) : this;

    public static bool TryParse(string? text, out QueueName name, [NotNullWhen(false)] out string? whyNot)
    {
        name = default;
        whyNot = WhyNot(text);
        if (whyNot is not null)
        {
            return false;
        }

        name = new QueueName(text!);
        return true;
    }

    /// <summary>For names that are known to be good: those read back from a store, and literals.</summary>
    /// <exception cref="ArgumentException">The name breaks a rule.</exception>
    public static QueueName Parse(string text) =>
        TryParse(text, out var name, out var whyNot) ? name : throw new ArgumentException(whyNot, nameof(text));

    public override string ToString() => Value;

    private static string? WhyNot(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "A queue name is missing; give 1 to 255 bytes of UTF-8.";
        }

        foreach (var c in text)
        {
            if (char.IsControl(c))
            {
                return "A queue name must not contain control characters.";
            }

            if (c == '/')
            {
                return "A queue name must not contain '/'.";
            }
        }

        if (text is "." or "..")
        {
            return "A queue name must not be '.' or '..', because URLs cannot contain them.";
        }

        var bytes = Utf8Length(text);
        if (bytes < 0)
        {
            return "A queue name must be valid Unicode.";
        }

        var bytesMax = text.EndsWith(DeadSuffix, StringComparison.Ordinal) ? BytesMax + DeadSuffix.Length : BytesMax;
        return bytes > bytesMax ? $"A queue name may be at most {BytesMax} bytes of UTF-8; this one has {bytes}." : null;
    }

    /// <summary>Bytes of UTF-8, or -1 where the text holds half a surrogate pair.</summary>
    internal static int Utf8Length(string text)
    {
        try
        {
            return StrictUtf8.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            return -1;
        }
    }

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
