using PushQueue.Client;

namespace WordWorker;

/// <summary>
/// Counts the words of a text. A text without any is an error: it comes again, and after five attempts it is in texts.dead.
/// </summary>
internal sealed class CountWorker(PushQueueClient client) : Worker(client, "texts", new WorkerOptions { Concurrency = 4, Name = "counter" })
{
    private readonly PushQueueClient _client = client;

    protected override async Task HandleAsync(Message message, CancellationToken cancellationToken)
    {
        var words = message.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
        if (words == 0)
        {
            throw new InvalidOperationException("There are no words in it.");
        }

        // A text may come twice; its count under the text's own id is stored once.
        var count = new WordCount(message.Id, words);
        await _client.PutAsync("counts", count, WordCountJson.Default.WordCount, new PutOptions { Id = message.Id }, cancellationToken);
    }
}
