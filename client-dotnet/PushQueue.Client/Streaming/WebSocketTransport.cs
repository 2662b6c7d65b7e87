using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using PushQueue.Client.Http;
using PushQueue.Client.Wire;

namespace PushQueue.Client.Streaming;

/// <summary>A WebSocket of <c>/ws</c> with one subscription.</summary>
internal sealed class WebSocketTransport : IStreamTransport
{
    private const int FirstBufferBytes = 64 * 1024;
    private const int MessageBytesMax = 512 * 1024 * 1024;

    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _sending = new(1, 1);

    public async Task RunAsync(StreamSession session, CancellationToken cancellationToken)
    {
        using var socket = new ClientWebSocket();
        await ConnectAsync(socket, session, cancellationToken).ConfigureAwait(false);
        await SendAsync(socket, "subscribe", session, session.SubscribeOptions(), started: null, cancellationToken).ConfigureAwait(false);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var renewing = TokenRenewal.RunAsync(session, (token, ended) => RenewAsync(socket, session, token, ended), over.Token);
        try
        {
            await ReceiveAllAsync(socket, session, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await renewing.ConfigureAwait(false);
        }
    }

    private static async Task ConnectAsync(ClientWebSocket socket, StreamSession session, CancellationToken cancellationToken)
    {
        using var timeout = Timeouts.After(session.ClientOptions.RequestTimeout, session.ClientOptions.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            session.Renewals.Clear();
            session.ConnectionToken = await session.Http.ConnectAsync(socket, session.Root, "/ws", either.Token).ConfigureAwait(false);
        }
        catch (WebSocketException) when (socket.HttpStatusCode != default(HttpStatusCode))
        {
            throw HttpCaller.Refusal((int)socket.HttpStatusCode, mediaType: null, default);
        }
        catch (Exception e) when (session.Http.Explain(session.Root, e, cancellationToken) is not null)
        {
            throw session.Http.Explain(session.Root, e, cancellationToken)!;
        }
    }

    private static void WriteOption(Utf8JsonWriter writer, string name, object value)
    {
        if (value is not string[] conditions)
        {
            writer.WriteString(name, (string)value);
            return;
        }

        writer.WriteStartArray(name);
        foreach (var condition in conditions)
        {
            writer.WriteStringValue(condition);
        }

        writer.WriteEndArray();
    }

    private Task SendAsync(
        ClientWebSocket socket,
        string command,
        StreamSession session,
        Dictionary<string, object>? options,
        LeaseKey[]? started,
        CancellationToken cancellationToken)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("cmd"u8, command);
            if (session.Selection is not { } selection)
            {
                writer.WriteString("queue"u8, session.Queue);
            }
            else if (options is not null)
            {
                WriteList(writer, "queues", selection.Queues);
                WriteList(writer, "match", selection.Match);
            }

            foreach (var (name, value) in options ?? [])
            {
                WriteOption(writer, name, value);
            }

            if (started is not null && session.Selection is null)
            {
                writer.WritePropertyName("started"u8);
                JsonSerializer.Serialize(writer, started, ClientJson.Default.LeaseKeyArray);
            }

            writer.WriteEndObject();
        }

        return SendAsync(socket, json.WrittenMemory, cancellationToken);
    }

    private async Task SendAsync(ClientWebSocket socket, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        // A socket sends one frame at a time, and a renewal may meet the goodbye.
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await socket.SendAsync(json, WebSocketMessageType.Text, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task RenewAsync(ClientWebSocket socket, StreamSession session, string token, CancellationToken cancellationToken)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("cmd"u8, "auth"u8);
            writer.WriteString("token"u8, token);
            writer.WriteString("ref"u8, StreamSession.RenewalReference);
            writer.WriteEndObject();
        }

        var answer = session.Renewals.Next();
        await SendAsync(socket, json.WrittenMemory, cancellationToken).ConfigureAwait(false);

        // A stream that its program reads slowly gets the answer late; the next token is not kept back for that.
        var next = session.Http.Tokens.UntilRenewal(token);
        next = Timeouts.OrInfinite(next > TokenRenewal.ShortestWait ? next : TokenRenewal.ShortestWait);
        var told = await answer.WaitAsync(next, session.ClientOptions.TimeProvider, cancellationToken).ConfigureAwait(false);
        if (told.Error is { } refusal)
        {
            throw new PushQueueException(refusal, told.Detail ?? refusal);
        }
    }

    private static void WriteList(Utf8JsonWriter writer, string name, string[] texts)
    {
        writer.WriteStartArray(name);
        Array.ForEach(texts, writer.WriteStringValue);
        writer.WriteEndArray();
    }

    private async Task ReceiveAllAsync(ClientWebSocket socket, StreamSession session, CancellationToken cancellationToken)
    {
        // Cancelling a receive would abort the socket and leave no way to close the stream, so the close is what ends the receive.
        using var over = new CancellationTokenSource();
        await using var goodbye = cancellationToken.UnsafeRegister(_ => StartGoodbye(), null).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        try
        {
            var length = 0;
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    throw EndOf(socket);
                }

                length += part.Count;
                if (part.EndOfMessage)
                {
                    var accepted = session.AcceptAsync(buffer.AsMemory(0, length), cancellationToken);
                    length = 0;
                    if (!accepted.IsCompletedSuccessfully)
                    {
                        await accepted.ConfigureAwait(false);
                    }
                }
                else if (length == buffer.Length)
                {
                    buffer = Grow(buffer);
                }
            }
        }
        catch (WebSocketException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(buffer);
        }

        void StartGoodbye() => _ = SayGoodbyeAsync(socket, session, over.Token);
    }

    private static byte[] Grow(byte[] buffer)
    {
        if (buffer.Length >= MessageBytesMax)
        {
            throw new PushQueueException(ProblemTypes.BadAnswer, $"The server sent a frame of more than {MessageBytesMax} bytes.");
        }

        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    /// <summary>Unsubscribed first, so that the server gives leases back at once instead of keeping them for the grace time.</summary>
    private async Task SayGoodbyeAsync(ClientWebSocket socket, StreamSession session, CancellationToken over)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(over);
        timeout.CancelAfter(GoodbyeTimeout);
        try
        {
            await SendAsync(socket, "unsubscribe", session, options: null, session.Started(), timeout.Token).ConfigureAwait(false);
            session.OnLeft();
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, timeout.Token).ConfigureAwait(false);

            // The receive ends with the server's answer; a server that does not answer is not waited for.
            await Task.Delay(GoodbyeTimeout, session.ClientOptions.TimeProvider, over).ConfigureAwait(false);
        }
        catch (Exception e) when (over.IsCancellationRequested && e is OperationCanceledException)
        {
            return;
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or ObjectDisposedException
            or InvalidOperationException)
        {
            Log.GoodbyeFailed(session.Logger, e, session.Queue);
        }

        socket.Abort();
    }

    private static StreamEnd EndOf(ClientWebSocket socket)
    {
        var code = (int)(socket.CloseStatus ?? WebSocketCloseStatus.Empty);
        var reason = socket.CloseStatusDescription ?? "";
        if (ReconnectOf(reason) is { } reconnect)
        {
            return new StreamEnd(
                reconnect.Code ?? "", reconnect.Code ?? "", reconnect: true, TimeSpan.FromMilliseconds(reconnect.ReconnectMs));
        }

        return code switch
        {
            1000 => new StreamEnd("normal", reason, reconnect: false, delay: null),
            1002 or 1007 or 1009 => new StreamEnd("protocol-error", reason, reconnect: false, delay: null),
            4004 => new StreamEnd("queue-deleted", reason, reconnect: false, delay: null),
            4005 => new StreamEnd(ProblemTypes.Replaced, reason, reconnect: false, delay: null),
            4006 => new StreamEnd(ProblemTypes.Disconnected, reason, reconnect: false, delay: null),
            4007 => new StreamEnd(ProblemTypes.AccessEnded, reason, reconnect: false, delay: null),
            _ => new StreamEnd("", reason, reconnect: true, delay: null),
        };
    }

    /// <summary>The part of a reason about the next connection; null where it says nothing, or where a proxy has cut it short.</summary>
    private static StreamEvent? ReconnectOf(string reason)
    {
        try
        {
            return reason is ['{', ..] ? JsonSerializer.Deserialize(reason, ClientJson.Default.StreamEvent) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
