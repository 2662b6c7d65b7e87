using Microsoft.Extensions.Logging;
using PushQueue.Client.Handlers;
using PushQueue.Client.Http;

namespace PushQueue.Client;

/// <summary>
/// A PushQueue server, or several that share their queues. Make one and share it: it is safe for any number of threads, and its connections
/// are pooled. Calls throw <see cref="PushQueueException"/> for what the server refuses and for a server that cannot be reached;
/// what may pass is tried again first (<see cref="PushQueueClientOptions.Retry"/>).
/// </summary>
public sealed partial class PushQueueClient : IPushQueueClient, IClientSurroundings, IDisposable
{
    private readonly HttpCaller _http;

    /// <summary>A client of one server, or of several that share their queues.</summary>
    /// <param name="server">Such as <c>http://127.0.0.1:8080</c>; several with commas between them.</param>
    public PushQueueClient(string server)
        : this(OptionsOf(server))
    {
    }

    /// <summary>A client as the options say.</summary>
    /// <exception cref="ArgumentException">An address is not that of a server.</exception>
    public PushQueueClient(PushQueueClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        _http = new HttpCaller(options);
    }

    internal PushQueueClientOptions Options { get; }

    internal HttpCaller Http => _http;

    ILoggerFactory? IClientSurroundings.LoggerFactory => Options.LoggerFactory;

    TimeProvider IClientSurroundings.TimeProvider => Options.TimeProvider;

    /// <summary>Closes the connections. Streams that still run end with an error.</summary>
    public void Dispose() => _http.Dispose();

    private static PushQueueClientOptions OptionsOf(string servers)
    {
        var addresses = Array.ConvertAll(servers.Split(',', StringSplitOptions.TrimEntries), address => new Uri(address));
        return new PushQueueClientOptions { Server = addresses[0], OtherServers = addresses[1..] };
    }

    private static string QueuePath(string queue) => "/q/" + Query.Segment(queue);

    private static string MessagePath(string queue, string id) => $"{QueuePath(queue)}/messages/{Query.Segment(id)}";

    private Task<Answer> SendAsync(Call call, CancellationToken cancellationToken) =>
        _http.SendAsync(call, orNotFound: false, cancellationToken);
}
