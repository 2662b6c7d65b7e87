using Microsoft.Extensions.Logging;

namespace PushQueue.Client;

/// <summary>The options of a client. Changes after its construction have no effect.</summary>
public sealed class PushQueueClientOptions
{
    /// <summary>The server, such as <c>http://127.0.0.1:8080</c>; with a path where the API is mounted under one.</summary>
    public Uri Server { get; set; } = new("http://127.0.0.1:8080");

    /// <summary>
    /// More servers that share their queues with <see cref="Server"/>. When the one in use cannot be reached, stops or has lost its store,
    /// requests and streams go on at the next. Default none.
    /// </summary>
    public IReadOnlyList<Uri> OtherServers { get; set; } = [];

    /// <summary>An access key, sent as <c>Authorization: Bearer</c> with every request; null for none.</summary>
    public string? Key { get; set; }

    /// <summary>
    /// Gives the token that is sent instead of <see cref="Key"/>; null for none. It is asked again before the token ends, if that is a JSON
    /// Web Token, and when the server has refused it. Streams over WebSocket and SignalR renew their token while they run; the others
    /// connect again. An exception counts as a server that cannot be reached.
    /// </summary>
    public Func<CancellationToken, Task<string?>>? AccessTokenProvider { get; set; }

    /// <summary>How long one request may take, in addition to the wait that it asks for. Default 30 s.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>For requests. A request that may have been done already and cannot be done twice (a put without an id, a take) is not
    /// tried again.</summary>
    public RetryOptions Retry { get; set; } = new();

    /// <summary>
    /// For streams that were connected once: how soon they connect again. Its <see cref="RetryOptions.Attempts"/> count from the last
    /// moment when a stream stood; default: no end.
    /// </summary>
    public RetryOptions Reconnect { get; set; } = new() { Attempts = int.MaxValue };

    /// <summary>
    /// The handler of all requests, for certificates, proxies or tests; null for one of the client's own, with pooled connections. A given
    /// one is not disposed with the client.
    /// </summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Where the client's timers come from. It never compares its clock with the server's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Where reconnects, and failures of handlers, are logged; null for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }
}
