using System.Text.Json.Nodes;
using PushQueue.SystemTests.Support;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>The access keys of a run: one that may do everything, with which the fuzzer itself asks, and some that may do little.</summary>
internal sealed class FuzzKeys
{
    private readonly List<string> _keys = [];

    /// <summary>The key that may do everything; null on a server without an access file.</summary>
    public string? Administrator => _keys.Count > 0 ? _keys[0] : null;

    /// <summary>Makes an access file.</summary>
    public static async Task<FuzzKeys> WriteAsync(string file)
    {
        var keys = new FuzzKeys();
        var entries = new JsonArray
        {
            await keys.NewAsync("*", "put,take,listen,manage,stats"),
            await keys.NewAsync("*", "put"),
            await keys.NewAsync("*", "take,listen"),
            await keys.NewAsync("q*,a.*", "put,take,listen,manage"),
            await keys.NewAsync("*.dead", "manage"),
        };
        var limited = await keys.NewAsync("*", "put,take,listen,manage,stats");
        limited["limits"] = new JsonObject { ["messagesPerSecond"] = 50, ["bytesPerSecond"] = 100_000, ["connections"] = 2 };
        entries.Add(limited);
        await File.WriteAllTextAsync(file, new JsonObject { ["keys"] = entries }.ToJsonString());
        return keys;
    }

    /// <summary>The header fields by which a request names its host and, if the server has an access file, nearly always a key.</summary>
    public string HostFields(Random random) => _keys.Count == 0 || random.Next(20) == 0
        ? "Host: 127.0.0.1\r\n"
        : $"Host: 127.0.0.1\r\nAuthorization: Bearer {_keys[random.Next(_keys.Count)]}\r\n";

    private async Task<JsonObject> NewAsync(string queues, string can)
    {
        var (exitCode, output) = await ServerProcess.RunAsync("key", "new", "--queue", queues, "--can", can);
        if (exitCode != 0)
        {
            throw new InvalidOperationException(output);
        }

        _keys.Add(output.Split('\n').Single(static line => line.StartsWith("pq_", StringComparison.Ordinal)));
        return JsonNode.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..])!.AsObject();
    }
}
