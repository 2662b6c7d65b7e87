using PushQueue.Load.Measuring;
using PushQueue.Load.Operations;

namespace PushQueue.Load.Suite;

internal sealed record StartupResult(
    int Messages,
    int Size,
    double PutSeconds,
    double MegabytesAfterPut,
    double SecondsUntilListening,
    double MegabytesAfterStart,
    bool Kept);

/// <summary>Fills a queue by batches, restarts the server on the same folder, and looks how long it takes and what it holds.</summary>
/// <param name="systems">Starts the server.</param>
/// <param name="messages">How many messages wait.</param>
/// <param name="size">Bytes of each body.</param>
/// <param name="keys">Into how many keys they are dealt; 0: they have none.</param>
internal sealed class StartupRun(Systems systems, int messages, int size, int keys = 0)
{
    private const int BatchBytes = 1_000_000;
    private const string Durability = "synced";
    private const string Queue = "backlog";

    internal StartupRun(string serverDll, string workFolder, int messages, int size)
        : this(new Systems(workFolder, serverDll, ""), messages, size)
    {
    }

    internal StartupResult Execute()
    {
        var data = systems.NewFolder("backlog");
        var (put, megabytesAfterPut) = Fill(data);

        using var restarted = systems.StartPushQueue(Durability, data);
        Thread.Sleep(TimeSpan.FromSeconds(1)); // replay's garbage may still be around; the next second shows what stays
        var megabytes = ProcessGauge.ResidentMegabytes(restarted.Pids);

        // One message from the front shows that the backlog is there; taking it all would measure something else.
        var first = Stage.Operate(
            new OperationOptions {
                Kind = OperationKind.Take,
                Port = restarted.Port,
                Queue = Queue,
                Operations = 1,
                Connections = 1,
                Size = size
            });
        var result = new StartupResult(messages, size, Math.Round(messages / put.OperationsPerSecond, 2), Math.Round(megabytesAfterPut),
            Math.Round(restarted.SecondsUntilReady, 2), Math.Round(megabytes), put.Sound && first.Sound);
        return result;
    }

    private (OperationResult Put, double Megabytes) Fill(string data)
    {
        using var server = systems.StartPushQueue(Durability, data);
        var put = Stage.Operate(new OperationOptions
        {
            Kind = OperationKind.Batch,
            Port = server.Port,
            Queue = Queue,
            Operations = messages,
            Size = size,
            Keys = keys,
            Window = Math.Max(1, BatchBytes / size),
            Connections = 1, // so that the first message put is the first in line
        });
        return (put, ProcessGauge.ResidentMegabytes(server.Pids));
    }
}

/// <summary>The two backlogs as scenarios.</summary>
internal static class StartupScenarios
{
    private const string PushQueue = "PushQueue synced";

    internal static IEnumerable<Scenario> All(Stage stage)
    {
        var (many, large) = (stage.Scale.SmallBacklog, stage.Scale.LargeBacklog);
        yield return Backlog(stage, "backlog-small", many, 100, [
            new(
                $"{many:N0} waiting messages of 100 bytes: seconds from start to listening",
                Figure.Seconds,
                PushQueue,
                null,
                Target.Most(5)),
            new("… MB of memory after the restart", Figure.Megabytes, PushQueue, null, Target.Most(400))]);
        yield return Backlog(stage, "backlog-large", large, 10_000, [
            new(
                $"{large:N0} waiting messages of 10 KB: MB of memory (the larger of after the put and after the restart)",
                Figure.Megabytes,
                PushQueue,
                null,
                Target.Most(1000)),
            new("… seconds from start to listening", Figure.Seconds, PushQueue)]);
    }

    private static Scenario Backlog(Stage stage, string name, int messages, int size, IReadOnlyList<Row> rows) =>
        new(name, [new(PushQueue, () =>
    {
        var result = new StartupRun(stage.Systems, messages, size).Execute();
        stage.Systems.RemoveFolders();
        return new Sample
        {
            [Figure.Seconds] = result.SecondsUntilListening,
            [Figure.Megabytes] = size > 1000 ? Math.Max(result.MegabytesAfterPut, result.MegabytesAfterStart) : result.MegabytesAfterStart,
            Problem = result.Kept ? null : "the backlog was not there after the restart",
        };
    })], rows, RunsMax: 3);
}
