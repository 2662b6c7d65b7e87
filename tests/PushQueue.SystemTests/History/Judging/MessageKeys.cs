using System.Globalization;

namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// The keys of messages in queues of <see cref="Promise.Ordered"/>: each producer deals its messages to so many keys in turn.
/// </summary>
internal static class MessageKeys
{
    public const int OfAProducer = 8;

    /// <summary>The key of a message with that id.</summary>
    public static string Of(string producer, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{producer} {number % OfAProducer}");
}
