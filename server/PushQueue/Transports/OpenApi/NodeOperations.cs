using System.Text.Json;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>The operations of the tag node.</summary>
internal static class NodeOperations
{
    public static readonly ApiOperation Stats = new("stats", "node", "The node and the sums over its queues")
    {
        Answers = [ApiAnswer.Json<StatsContract>()],
    };

    public static readonly ApiOperation ListNodes = new("listNodes", "node", "The nodes that serve these queues")
    {
        Answers = [ApiAnswer.Json<NodesContract>()],
    };

    public static readonly ApiOperation ListEvents = new(
        "listEvents", "node", "What happened on this node since it started, the newest first")
    {
        Parameters =
        [
            new("after", "A version: only events that are newer or changed later.", ApiSchema.Number(min: 0)),
            new("limit", "At most this many.", ApiSchema.Number(min: 1, max: 500, byDefault: 100)),
        ],
        Answers = [ApiAnswer.Json<EventsContract>()],
    };

    public static readonly ApiOperation Metrics = new("metrics", "node", "The metrics in Prometheus' text format")
    {
        Answers = [ApiAnswer.Of("text/plain", ApiSchema.Text, "Text format 0.0.4.")],
    };

    public static readonly ApiOperation Backup = new("backup", "node", "The embedded store's log as a tar archive, without stopping puts")
    {
        Answers = [ApiAnswer.Of("application/x-tar", ApiSchema.Binary, "The archive; its last entry is end-of-backup.")],
    };

    public static readonly ApiOperation MakeToken = new("makeToken", "node", "Make a short-lived token with rights of the key")
    {
        Description = "The token is sent in the place of the key. It never has more rights than the key, and ends with it. "
            + "With cookie it is also set as the cookie pushqueue-token, which counts for streams over HTTP.",
        Body = ApiBody.Json<TokenRequestContract>() with { Required = false },
        Answers = [ApiAnswer.Json<TokenContract>()],
    };

    public static readonly ApiOperation Alive = new("alive", "node", "Whether the process is alive")
    {
        Answers = [ApiAnswer.Of("text/plain", ApiSchema.Text, "It is.")],
        IsPublic = true,
    };

    public static readonly ApiOperation Ready = new("ready", "node", "Whether the node can serve")
    {
        Answers = [ApiAnswer.Of("text/plain", ApiSchema.Text, "It can.")],
        IsPublic = true,
    };

    public static readonly ApiOperation OpenApi = new("openApi", "node", "This document")
    {
        Answers = [ApiAnswer.Json<JsonElement>()],
        IsPublic = true,
    };
}
