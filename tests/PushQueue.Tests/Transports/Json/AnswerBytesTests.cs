using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Json;

/// <summary>
/// The answers of the API, byte for byte but for times and random values: a change of a field's name, place or form is seen here.
/// </summary>
public sealed class AnswerBytesTests
{
    private const string Record = "PUSHQUEUE_RECORD_ANSWERS";

    private static string SnapshotPath =>
        Path.Combine(RepositoryRoot.Path, "tests", "PushQueue.Tests", "Transports", "Json", "answers.txt");

    [Fact]
    public async Task Every_answer_has_the_fields_order_and_forms_of_the_snapshot()
    {
        await using var server = await PushQueueServer.StartAsync();
        var text = new StringBuilder();

        foreach (var step in await new ApiTour(server).RunAsync())
        {
            text.Append(step.Normalized);
        }

        await AppendStreamsAsync(server, text);
        if (Environment.GetEnvironmentVariable(Record) is not null)
        {
            await File.WriteAllTextAsync(SnapshotPath, text.ToString());
        }

        // Set PUSHQUEUE_RECORD_ANSWERS=1 once to record an intended change.
        Assert.Equal(await File.ReadAllTextAsync(SnapshotPath), text.ToString());
    }

    private static async Task AppendStreamsAsync(PushQueueServer server, StringBuilder text)
    {
        await server.PostAsync("/q/watched?id=1", "x");
        using var listener = await server.Client.GetAsync("/sse/watched", HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        await Eventually.TrueAsync(
            async () => (await server.GetAsync("/j/watched")).Json.GetProperty("history").GetInt32() == 1, "the listener has the message");
        foreach (var (method, arguments) in new (string, object?[])[]
        {
            ("WatchQueues", [new { filter = "watched" }]),
            ("WatchQueue", ["watched"]),
            ("WatchNodes", []),
            ("Tail", ["watched"]),
        })
        {
            await using var watch = await HubWatchClient.OpenAsync(server, method, arguments);
            var item = await watch.NextAsync();
            if (method == "Tail")
            {
                await server.PostAsync("/q/watched?id=tailed&priority=2&delay=1h", "{}", "application/json");
                item = await watch.NextAsync(static item => item.GetProperty("events").GetArrayLength() > 0);
            }

            text.Append(method).Append('\n').Append(ApiTour.Mask(item.GetRawText())).Append('\n');
        }
    }
}
