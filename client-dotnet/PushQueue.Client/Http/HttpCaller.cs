using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.Versioning;
using System.Text.Json;
using PushQueue.Client.Wire;

namespace PushQueue.Client.Http;

/// <summary>Sends requests, again where that helps and does no harm, and makes exceptions of problems.</summary>
internal sealed class HttpCaller : IDisposable
{
    // Connections are replaced now and then, so that a changed address takes effect.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    // The server sends a ping every 15 s; a connection that is dead is noticed by the client's own.
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(15);

    private readonly PushQueueClientOptions _options;

    public HttpCaller(PushQueueClientOptions options)
    {
        _options = options;
        Tokens = new AccessTokens(options);
        Servers = new Servers([options.Server, .. options.OtherServers]);
        Invoker = options.HttpHandler is { } given
            ? new HttpMessageInvoker(given, disposeHandler: false)
            : new HttpMessageInvoker(OperatingSystem.IsBrowser() ? new HttpClientHandler() : NewHandler());
    }

    /// <summary>Sends the requests and opens the WebSockets.</summary>
    public HttpMessageInvoker Invoker { get; }

    public Servers Servers { get; }

    /// <summary>The key or tokens that authorize the requests.</summary>
    public AccessTokens Tokens { get; }

    /// <param name="call">The request.</param>
    /// <param name="orNotFound">Whether 404 <c>not-found</c> is an answer like others.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="PushQueueException">The server refused, or could not be reached.</exception>
    public async Task<Answer> SendAsync(Call call, bool orNotFound, CancellationToken cancellationToken)
    {
        var retry = call.Retry ?? _options.Retry;
        var repeated = false;
        var untried = call.Root is null ? Servers.Count : 1;
        var renewed = !Tokens.CanRenew;
        for (var attempt = 1; ; attempt++)
        {
            var root = call.Root ?? Servers.Current;
            untried--;
            try
            {
                return await SendOnceAsync(root, call, orNotFound, repeated, cancellationToken).ConfigureAwait(false);
            }
            catch (PushQueueException e) when (e.Type == ProblemTypes.Unauthorized && !renewed)
            {
                // Refused before anything was done; another token may do.
                renewed = true;
                untried = Math.Max(untried + 1, 1);
            }
            catch (PushQueueException e) when (e.IsTransient)
            {
                Servers.MoveOn(root);
                if ((attempt >= retry.Attempts && untried <= 0) || !(call.Repeatable || e.NothingDone))
                {
                    throw;
                }

                repeated |= !e.NothingDone;
            }

            if (untried > 0)
            {
                // Another server may do it right now.
                continue;
            }

            await Task.Delay(retry.DelayBefore(attempt + 1), _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a request whose answer is a stream without an end; the timeout counts for the headers only. Tells the key or token
    /// with which it was sent.</summary>
    public async Task<(HttpResponseMessage Response, string? Token)> OpenAsync(
        string root, string path, string accept, CancellationToken cancellationToken, string? lastEventId = null)
    {
        using var timeout = Timeouts.After(_options.RequestTimeout, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var token = await Tokens.GetAsync(either.Token).ConfigureAwait(false);
        using var request = NewRequest(HttpMethod.Get, root + path, token);
        request.Headers.Accept.ParseAdd(accept);
        _ = lastEventId is null || request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);

        try
        {
            var response = await Invoker.SendAsync(request, either.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                return (response, token);
            }

            using (response)
            {
                throw RefusalOf(token, (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType,
                    await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false));
            }
        }
        catch (Exception e) when (Explain(root, e, cancellationToken) is not null)
        {
            throw Explain(root, e, cancellationToken)!;
        }
    }

    public void Dispose()
    {
        Invoker.Dispose();
        Tokens.Dispose();
    }

    /// <summary>Opens a WebSocket. Tells the key or token with which it was opened.</summary>
    /// <exception cref="WebSocketException">
    /// The server cannot be reached, or refused; then the socket has the status of its answer.
    /// </exception>
    public async Task<string?> ConnectAsync(ClientWebSocket socket, string root, string path, CancellationToken cancellationToken)
    {
        var token = await Tokens.GetAsync(cancellationToken).ConfigureAwait(false);
        var address = "ws" + root["http".Length..] + path;
        if (OperatingSystem.IsBrowser())
        {
            // A browser opens the WebSocket itself, without headers of the program's own. The server selects the first of these.
            if (token is not null)
            {
                socket.Options.AddSubProtocol("pushqueue");
                socket.Options.AddSubProtocol("pushqueue.token." + token);
            }

            await socket.ConnectAsync(new Uri(address), cancellationToken).ConfigureAwait(false);
            return token;
        }

        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.KeepAliveInterval = PingInterval;
#if NET9_0_OR_GREATER
        socket.Options.KeepAliveTimeout = PingInterval;
#endif
        if (token is not null)
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        }

        try
        {
            await socket.ConnectAsync(new Uri(address), Invoker, cancellationToken).ConfigureAwait(false);
            return token;
        }
        catch (WebSocketException) when (socket.HttpStatusCode == HttpStatusCode.Unauthorized)
        {
            Tokens.Refused(token);
            throw;
        }
    }

    /// <summary>The meaning of a failed connection; null for any other failure.</summary>
    public PushQueueException? Explain(string root, Exception e, CancellationToken cancellationToken) => e switch
    {
        OperationCanceledException when !cancellationToken.IsCancellationRequested => new PushQueueException(
            ProblemTypes.Timeout, $"{root} did not answer within {_options.RequestTimeout.TotalSeconds:0.#} s.", innerException: e),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: { } inner } =>
            new PushQueueException(
            ProblemTypes.Unreachable,
            $"There is no secure connection to {root}: {inner.Message.TrimEnd('.')}. "
            + "Check that the server speaks TLS, with a certificate for this name that this machine trusts.",
            innerException: e),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
            or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError } => new PushQueueException(
            ProblemTypes.Unreachable, $"{root} cannot be reached: {e.Message}. Check that the server runs, and the address.",
            innerException: e),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => Answer.NotOurs(e),
        WebSocketException { InnerException: HttpRequestException inner } => Explain(root, inner, cancellationToken),
        _ when IsBroken(e) => new PushQueueException(
            ProblemTypes.ConnectionLost,
            $"The connection to {root} broke before the answer came; the request may have been executed or not.", innerException: e),
        _ => null,
    };

    /// <summary>Whether a connection broke. A socket's own exception comes through where it is reset just when it was connected.</summary>
    public static bool IsBroken(Exception e) => e is HttpRequestException or IOException or WebSocketException or SocketException;

    /// <summary>The problem that an answer holds, or what its status alone says.</summary>
    public static PushQueueException Refusal(int status, string? mediaType, ReadOnlySpan<byte> body)
    {
        if (mediaType?.Contains("json", StringComparison.OrdinalIgnoreCase) is true
            && ReadProblem(body) is { Type: { Length: > 0 } type } problem)
        {
            return new PushQueueException(type, problem.Detail ?? problem.Title ?? type, status);
        }

        return status switch
        {
            401 => new PushQueueException(ProblemTypes.Unauthorized, "The server requires an access key; give a valid one.", status),
            403 => new PushQueueException(ProblemTypes.Forbidden, "The server refuses this; the access key does not allow it.", status),
            429 => new PushQueueException(
            ProblemTypes.TooManyRequests, "The server limits requests or connections; slow down.", status),
            _ => new PushQueueException(
                ProblemTypes.BadAnswer, $"The answer has status {status} and does not come from a PushQueue server; check the address.",
                status),
        };
    }

    private static Problem? ReadProblem(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, ClientJson.Default.Problem);
        }
        catch (JsonException)
        {
            // Then it is not this server's; the status is all there is to tell.
            return null;
        }
    }

    private async Task<Answer> SendOnceAsync(string root, Call call, bool orNotFound, bool repeated, CancellationToken cancellationToken)
    {
        using var timeout = Timeouts.After(Timeouts.Sum(_options.RequestTimeout, call.Wait), _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var token = await Tokens.GetAsync(either.Token).ConfigureAwait(false);
        using var request = NewRequest(call.Method, root + call.Path, token);
        MessageHeaders.AddTo(request.Headers, call.MessageHeaders);
        if (call.ContentType is not null)
        {
            request.Content = new ReadOnlyMemoryContent(call.Body);
            _ = request.Content.Headers.TryAddWithoutValidation("Content-Type", call.ContentType);
        }

        try
        {
            using var response = await Invoker.SendAsync(request, either.Token).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
            var status = (int)response.StatusCode;
            var contentType = response.Content.Headers.TryGetValues("Content-Type", out var types) ? types.First() : null;
            if (response.IsSuccessStatusCode)
            {
                return new Answer(status, response.Headers, contentType, body, repeated);
            }

            var problem = RefusalOf(token, status, response.Content.Headers.ContentType?.MediaType, body);
            return orNotFound && problem is { Status: 404, Type: ProblemTypes.NotFound }
                ? new Answer(status, response.Headers, contentType, body, repeated)
                : throw problem;
        }
        catch (Exception e) when (Explain(root, e, cancellationToken) is not null)
        {
            throw Explain(root, e, cancellationToken)!;
        }
    }

    [UnsupportedOSPlatform("browser")]
    private static SocketsHttpHandler NewHandler()
    {
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = ConnectionLifetime, UseCookies = false };
#if !NET9_0_OR_GREATER
        handler.ConnectCallback = ConnectAsync;
#endif
        return handler;
    }

#if !NET9_0_OR_GREATER
    /// <summary>WebSockets of .NET 8 do not notice that no ping is answered; TCP does it for them.</summary>
    [UnsupportedOSPlatform("browser")]
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        const int Probes = 3;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)PingInterval.TotalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)PingInterval.TotalSeconds / Probes);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
#endif

    private PushQueueException RefusalOf(string? token, int status, string? mediaType, ReadOnlySpan<byte> body)
    {
        var problem = Refusal(status, mediaType, body);
        if (problem.Type == ProblemTypes.Unauthorized)
        {
            Tokens.Refused(token);
        }

        return problem;
    }

    private static HttpRequestMessage NewRequest(HttpMethod method, string address, string? token)
    {
        var request = new HttpRequestMessage(method, new Uri(address));
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return request;
    }
}
