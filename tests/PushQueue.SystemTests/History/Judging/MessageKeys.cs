using System.Globalization;

namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// The key and the header of a message follow from its id, which is <c>PRODUCER-NUMBER</c>: in queues of <see cref="Promise.Ordered"/> each
/// producer deals its messages to so many keys in turn. Messages of queues with subscribers have a header with the parity of their number.
/// </summary>
internal static class MessageKeys
{
    public const int OfAProducer = 8;

    /// <summary>The key of the message with that id.</summary>
    public static string Of(string id)
    {
        var (producer, number) = PartsOf(id);
        return string.Create(CultureInfo.InvariantCulture, $"{producer} {number % OfAProducer}");
    }

    public static string ParityOf(string id) => PartsOf(id).Number % 2 == 0 ? "even" : "odd";

    /// <summary>The producer of a message and the number that this one gave it.</summary>
    public static (string Producer, int Number) PartsOf(string id)
    {
        var dash = id.LastIndexOf('-');
        return dash > 0 && int.TryParse(id.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (id[..dash], number)
            : (id, 0);
    }
}
