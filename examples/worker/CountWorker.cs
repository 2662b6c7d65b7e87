using PushQueue.Client;

namespace WordWorker;

/// <summary>
/// Counts the words of a text. A text without any can never be counted: it goes to texts.dead at once.
/// </summary>
internal sealed class CountWorker(IPushQueueClient client) : IMessageHandler<string>
{
    public Task HandleAsync(string value, MessageContext context, CancellationToken cancellationToken)
    {
        var words = value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
        if (words == 0)
        {
            throw new DeadLetterException("There are no words in it.");
        }

        // A text may come twice; its count under the text's own id is stored once.
        var id = context.Message.Id;
        return client.PutAsync(
            "counts", new WordCount(id, words), WordCountJson.Default.WordCount, new PutOptions { Id = id }, cancellationToken);
    }
}
