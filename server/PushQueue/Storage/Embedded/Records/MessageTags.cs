using PushQueue.Queues;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>
/// The headers of a message. Of their own, because a million messages may have them and nothing else of <see cref="MessageDetails"/>,
/// which is three times as large.
/// </summary>
internal class MessageTags
{
    public MessageHeaders? Headers { get; set; }
}
