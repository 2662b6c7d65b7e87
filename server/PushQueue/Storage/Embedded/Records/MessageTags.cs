using PushQueue.Queues;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// Key and headers of a message. Of their own, because a million messages may have a key and nothing else of <see cref="MessageDetails"/>,
/// which is three times as large.
/// </summary>
internal class MessageTags
{
    public string? Key { get; set; }

    public MessageHeaders? Headers { get; set; }
}
