using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>A Redis server that takes writes, as its INFO describes it.</summary>
internal sealed class RedisMaster(IServer server, Dictionary<string, string> info, bool isLossless)
{
    public IServer Server => server;

    /// <summary>Another after every start of the server.</summary>
    public string RunId => info.GetValueOrDefault("run_id") ?? string.Empty;

    /// <summary>Every write is on its disk before it is answered.</summary>
    public bool IsLossless => isLossless;

    /// <summary>It was a replica once: its master may have known more.</summary>
    public bool WasPromoted => info.GetValueOrDefault("master_replid2") is { } before && before.AsSpan().IndexOfAnyExcept('0') >= 0;
}
