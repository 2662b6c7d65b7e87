using System.Globalization;
using System.Text;
using PushQueue.Client;

namespace PushQueue.Testing;

/// <summary>Shows messages in the sentence of a failed expectation.</summary>
internal static class MessageList
{
    private const int MessagesMax = 10;
    private const int BodyCharsMax = 200;

    /// <summary>How many there are, and a line for each of the first.</summary>
    public static string Describe(IReadOnlyList<Message> messages)
    {
        if (messages.Count == 0)
        {
            return "The queue got no message.";
        }

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"The queue got {messages.Count} {(messages.Count == 1 ? "message" : "messages")}:");
        foreach (var message in messages.Take(MessagesMax))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  {message.Id}: {Body(message)} ({message.ContentType}");
            text.Append(message.Key is null ? ")" : $", key '{message.Key}')");
        }

        return messages.Count > MessagesMax ? text.Append("\n  …").ToString() : text.ToString();
    }

    private static string Body(Message message)
    {
        if (!IsText(message.ContentType))
        {
            return $"{message.Body.Length} bytes";
        }

        var body = message.Text.ReplaceLineEndings(" ");
        return body.Length > BodyCharsMax ? body[..BodyCharsMax] + "…" : body;
    }

    private static bool IsText(string contentType) =>
        contentType.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
        || contentType.Contains("json", StringComparison.OrdinalIgnoreCase);
}
