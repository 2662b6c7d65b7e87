using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using PushQueue.Client.Http;
using PushQueue.Client.SignalR;
using PushQueue.Client.Wire;

namespace PushQueue.Client.Streaming;

/// <summary>A subscription at the hub, on a connection of its own or on the program's.</summary>
internal sealed class HubTransport : IStreamTransport
{
    /// <summary>How SignalR begins the message of an exception for a connection that the server has closed.</summary>
    private const string EndOfConnection = "The server closed the connection";

    private static readonly string[] Calls = ["message", "gap", "cursor", "cancel", "close", "subscribed"];

    // The server's reason has arrived when the connection ends, and only waits for its turn behind messages that were received before it.
    private static readonly TimeSpan ReasonTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(2);

    public async Task RunAsync(StreamSession session, CancellationToken cancellationToken)
    {
        if (session.Options is HubConsumeOptions { Hub: var given })
        {
            await RunAsync(given, session, started: null, cancellationToken).ConfigureAwait(false);
            return;
        }

        var builder = new HubConnectionBuilder().WithPushQueueHub(
            session.Root,
            async cancelled => session.ConnectionToken = await session.Http.Tokens.GetAsync(cancelled).ConfigureAwait(false),
            session.Http.Invoker);
        var connection = builder.Build();
        await using (connection.ConfigureAwait(false))
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var renewing = Task.CompletedTask;
            try
            {
                await RunAsync(connection, session, StartRenewal, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await over.CancelAsync().ConfigureAwait(false);
                await renewing.ConfigureAwait(false);
            }

            void StartRenewal() =>
                renewing = TokenRenewal.RunAsync(session, (token, ended) => RenewAsync(connection, token, ended), over.Token);
        }
    }

    private static async Task RunAsync(
        HubConnection connection, StreamSession session, Action? started, CancellationToken cancellationToken)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // Calls may come on another thread before the answer to the subscription.
        // They wait for it, because it says where the stream begins.
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var item = session.Options is HubConsumeOptions ? typeof(HubEnvelope) : typeof(HubItem);
        var listening = Array.ConvertAll(Calls, call => connection.On(call, [item], AcceptAsync));
        connection.Closed += OnGoneAsync;
        connection.Reconnecting += OnGoneAsync;
        try
        {
            await StartAsync(connection, session, cancellationToken).ConfigureAwait(false);
            started?.Invoke();
            await SubscribeAsync(connection, session, cancellationToken).ConfigureAwait(false);
            session.OnStanding();
            begun.SetResult();
            await over.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (HubException e) when (e.Message.StartsWith(EndOfConnection, StringComparison.Ordinal))
        {
            // The server ended the connection while it was asked; its reason follows, as a call.
            _ = begun.TrySetResult();
            await over.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (HubException e)
        {
            throw Refusal(e);
        }
        catch (InvalidOperationException e) when (!cancellationToken.IsCancellationRequested)
        {
            // SignalR's words for a connection that went between two steps.
            throw new PushQueueException(ProblemTypes.ConnectionLost, "The hub connection broke.", innerException: e);
        }
        finally
        {
            _ = begun.TrySetResult();
            connection.Closed -= OnGoneAsync;
            connection.Reconnecting -= OnGoneAsync;
            await SayGoodbyeAsync(connection, session).ConfigureAwait(false);
            Array.ForEach(listening, one => one.Dispose());
        }

        async Task AcceptAsync(object?[] arguments)
        {
            try
            {
                await begun.Task.ConfigureAwait(false);
                var json = arguments[0] is HubEnvelope envelope ? envelope.ToJson() : ((HubItem)arguments[0]!).Json;
                await session.AcceptAsync(json, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // SignalR would only log it.
                _ = over.TrySetException(e);
                _ = over.Task.Exception;
            }
        }

        // The server gives its reason as a call of 'close' and then as the words of SignalR, which make a HubException. SignalR raises its
        // events on another thread than the calls, so the call may still be waiting; the words alone do not say what kind of end it is.
        async Task OnGoneAsync(Exception? error)
        {
            if (error is HubException)
            {
                await over.Task.WaitAsync(ReasonTimeout, session.ClientOptions.TimeProvider, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            _ = over.TrySetException(
                new PushQueueException(ProblemTypes.ConnectionLost, "The hub connection broke.", innerException: error));
            _ = over.Task.Exception;
        }
    }

    private static async Task RenewAsync(HubConnection connection, string token, CancellationToken cancellationToken)
    {
        try
        {
            await connection.InvokeAsync("Authenticate", token, cancellationToken).ConfigureAwait(false);
        }
        catch (HubException e)
        {
            throw Refusal(e);
        }
    }

    private static async Task SubscribeAsync(HubConnection connection, StreamSession session, CancellationToken cancellationToken)
    {
        if (session.Selection is not { } selection)
        {
            await connection.InvokeAsync("Subscribe", session.Queue, session.SubscribeOptions(), cancellationToken).ConfigureAwait(false);
            return;
        }

        var options = session.SubscribeOptions();
        if (selection.Match.Length > 0)
        {
            options["match"] = selection.Match;
        }

        var given = await connection.InvokeAsync<HubEnvelope>("Subscribe", selection.Queues, options, cancellationToken)
            .ConfigureAwait(false);
        using var read = JsonDocument.Parse(given.ToJson());
        var answer = read.RootElement;
        session.BeginMany(
            [.. answer.GetProperty("queues").EnumerateArray().Select(static queue => queue.GetString()!)],
            answer.GetProperty("cursor").GetString()!);
    }

    private static async Task StartAsync(HubConnection connection, StreamSession session, CancellationToken cancellationToken)
    {
        if (connection.State == HubConnectionState.Connected)
        {
            return;
        }

        if (connection.State != HubConnectionState.Disconnected)
        {
            // The program's own connection, which connects by itself: asked again after the usual wait.
            throw new PushQueueException(ProblemTypes.ConnectionLost, "The hub connection is not up yet.");
        }

        using var timeout = Timeouts.After(session.ClientOptions.RequestTimeout, session.ClientOptions.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await connection.StartAsync(either.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.StatusCode is { } status)
        {
            throw HttpCaller.Refusal((int)status, mediaType: null, default);
        }
        catch (Exception e) when (session.Http.Explain(session.Root, e, cancellationToken) is not null)
        {
            throw session.Http.Explain(session.Root, e, cancellationToken)!;
        }
    }

    /// <summary>On a connection that goes on, or that would have the server keep leases for the grace time.</summary>
    private static async Task SayGoodbyeAsync(HubConnection connection, StreamSession session)
    {
        if (connection.State != HubConnectionState.Connected)
        {
            return;
        }

        using var timeout = new CancellationTokenSource(GoodbyeTimeout, session.ClientOptions.TimeProvider);
        try
        {
            _ = await connection.InvokeAsync<bool>(
                "Unsubscribe", session.Selection is null ? session.Queue : null, StartedOf(session), timeout.Token).ConfigureAwait(false);
            session.OnLeft();
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or IOException or HubException
            or System.Net.WebSockets.WebSocketException)
        {
            Log.GoodbyeFailed(session.Logger, e, session.Queue);
        }
    }

    // Dictionaries, whose names no serializer of the program's own connection changes.
    private static Dictionary<string, Dictionary<string, string>[]> StartedOf(StreamSession session) => new(StringComparer.Ordinal)
    {
        ["started"] = Array.ConvertAll(
            session.Started(), key =>
            new Dictionary<string, string>(StringComparer.Ordinal) { ["id"] = key.Id, ["receipt"] = key.Receipt }),
    };

    /// <summary>The server's hub exceptions end in <c>type: sentence</c>.</summary>
    private static PushQueueException Refusal(HubException e)
    {
        const string Mark = "HubException: ";
        var start = e.Message.IndexOf(Mark, StringComparison.Ordinal);
        var told = start < 0 ? e.Message : e.Message[(start + Mark.Length)..];
        return told.Split(": ", 2) is [var type, var sentence]
            ? new PushQueueException(type, sentence, innerException: e)
            : new PushQueueException(ProblemTypes.InternalError, told, innerException: e);
    }
}
