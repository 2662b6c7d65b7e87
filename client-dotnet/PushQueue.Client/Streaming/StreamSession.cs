using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Client.Http;
using PushQueue.Client.Wire;

namespace PushQueue.Client.Streaming;

/// <summary>
/// Keeps one consumer up: connects, hands what comes to the inbox, connects again where that makes sense, and remembers between two
/// connections where the stream was and which leases it held. One per enumeration of a <see cref="MessageStream"/>. A transport calls
/// <see cref="AcceptAsync"/> for one thing after the other, never two at once.
/// </summary>
internal sealed class StreamSession
{
    // The limit of received and unconsumed messages, before reading from the connection pauses; with manual ack prefetch is the closer
    // limit.
    private const int ItemsMax = 10_000;
    private const long BytesMax = 4 * 1024 * 1024;

    /// <summary>The <c>ref</c> of the command that renews the token.</summary>
    public const string RenewalReference = "auth";

    private readonly PushQueueClient _client;
    private readonly HttpMessageStream _stream;
    private readonly IStreamTransport _transport;
    private readonly StreamPosition _position;
    private readonly ManyPosition? _many;
    private readonly HeldMessages _held = new();
    private readonly StreamLeases _leases;
    private readonly StreamGoodbye _goodbye;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private string? _token;

    /// <summary>The server ends a former connection of this stream that broke without its noticing.</summary>
    private readonly string _instance = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));

    /// <summary>The cursor of the last message of a stream over many queues.</summary>
    private string? _given;
    private bool _left;
    private bool _stands;
    private bool _stoodOnce;
    private bool _askedForToken;

    public StreamSession(PushQueueClient client, HttpMessageStream stream)
    {
        _client = client;
        _stream = stream;
        Root = client.Http.Servers.Current;
        _position = new StreamPosition(client, stream.Queue, stream.Options.From);
        _many = stream.Selection is null ? null : new ManyPosition(stream.Options.From);
        _leases = new StreamLeases(client, stream.Queue, _held);
        Logger = client.Options.LoggerFactory?.CreateLogger("PushQueue.Client") ?? NullLogger.Instance;
        _goodbye = new StreamGoodbye(client, stream.Queue, _held, Logger);
        _transport = stream.Options.Transport switch
        {
            ConsumeTransport.WebSocket => new WebSocketTransport(),
            ConsumeTransport.SignalR => new HubTransport(),
            ConsumeTransport.ServerSentEvents => new LineTransport(serverSentEvents: true),
            _ => new LineTransport(serverSentEvents: false),
        };
    }

    public Inbox Inbox { get; } = new(ItemsMax, BytesMax);

    public HeldMessages Held => _held;

    public HttpCaller Http => _client.Http;

    /// <summary>The key or token by which the present connection, or the last one, is at the server.</summary>
    public string? ConnectionToken { get; set; }

    /// <summary>The renewals that were sent as commands, and not answered yet.</summary>
    public RenewalAnswers Renewals { get; } = new();

    public PushQueueClientOptions ClientOptions => _client.Options;

    public ConsumeOptions Options => _stream.Options;

    /// <summary>The queue; empty for a stream over many.</summary>
    public string Queue => _stream.Queue;

    /// <summary>The queues of a stream over many; null for one.</summary>
    public QueueSelection? Selection => _stream.Selection;

    /// <summary>Where a stream over many queues is; null for one.</summary>
    public ManyPosition? Many => _many;

    public string Name => _stream.Selection?.ToString() ?? Queue;

    /// <summary>The address of the server that this connection is to.</summary>
    public string Root { get; private set; }

    public ILogger Logger { get; }

    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Ends the connection. The messages that the program still holds go back to the queue; only those that it had started
    /// count as failed attempts.</summary>
    public async Task StopAsync()
    {
        await _goodbye.BeforeAsync(_leases.WhenSent()).ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        await _goodbye.AfterAsync(_left ? null : _token, Root).ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>The leases whose work the program has begun.</summary>
    public LeaseKey[] Started() => _held.Started();

    /// <summary>The server knows that this consumer goes for good, and what was started.</summary>
    public void OnLeft() => _left = true;

    /// <summary>The options with which the next connection subscribes, as the server names them.</summary>
    public Dictionary<string, object> SubscribeOptions()
    {
        var options = new Dictionary<string, object>(StringComparer.Ordinal);
        if (Options.Where is { Count: > 0 } where)
        {
            options["where"] = where.ToArray();
        }

        Set("from", _many is null ? _position.From : _many.From);
        Set("prefetch", Options.Prefetch?.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Set("overflow", Options.Overflow);
        Set("policy", Options.Policy);
        Set("who", Options.Who);
        Set("instance", _many is null ? _instance : null);
        if (Options.Ack == AckMode.Manual)
        {
            Set("ack", "manual");
            Set("ttr", Duration.Format(Options.TimeToRun));
            Set("worker", Options.Worker);
            Set("grace", Options.Grace > TimeSpan.Zero && _many is null ? Duration.Format(Options.Grace) : null);
            Set("consumer", _token);
        }

        return options;

        void Set(string name, string? value)
        {
            if (value is not null)
            {
                options[name] = value;
            }
        }
    }

    /// <summary>The stream stands: the server has accepted it.</summary>
    public void OnStanding()
    {
        _stands = true;
        _stoodOnce = true;
        _askedForToken = false;
        _stream.OnConnected();
    }

    /// <summary>One JSON object that came. Completes when there is room for the next. hot path: guarded by the bench row
    /// <c>client</c>.</summary>
    public ValueTask AcceptAsync(ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        if (EnvelopeReader.Read(json.Span, Queue) is not { } message)
        {
            AcceptEvent(json.Span);
            return default;
        }

        if (_many is not null)
        {
            if (!_many.TryMove(message))
            {
                return default;
            }

            _given = message.Cursor;
            return Add(message, cancellationToken);
        }

        return _position.TryMove(message) ? Add(message, cancellationToken) : LearnAndAddAsync(message, cancellationToken);
    }

    /// <summary>A stream over many queues stands, over these.</summary>
    public void BeginMany(string[] queues, string cursor)
    {
        _many!.Begin(queues, cursor);
        _ = Inbox.Add(cursor, 0);
    }

    /// <summary>The end of an event of a stream over many queues, which may have a cursor.</summary>
    public void Reach()
    {
        var cursor = _many!.Cursor!;
        if (_many.TryReach() && cursor != _given)
        {
            _ = Inbox.Add(cursor, 0);
        }
    }

    private ValueTask Add(Message message, CancellationToken cancellationToken)
    {
        if (message.Receipt is not null)
        {
            message.Owner = _leases;
            if (!_held.TryAdd(message))
            {
                return default;
            }
        }

        return Inbox.Add(message, message.Body.Length) ? default : new ValueTask(Inbox.WaitForRoomAsync(cancellationToken));
    }

    private async ValueTask LearnAndAddAsync(Message message, CancellationToken cancellationToken)
    {
        await _position.LearnEpochAsync(cancellationToken).ConfigureAwait(false);
        _ = _position.TryMove(message);
        await Add(message, cancellationToken).ConfigureAwait(false);
    }

    private void AcceptEvent(ReadOnlySpan<byte> json)
    {
        var told = JsonSerializer.Deserialize(json, ClientJson.Default.StreamEvent)!;
        if (told is { Event: null, Ref: RenewalReference })
        {
            Renewals.Answered(told);
            return;
        }

        if (told.Queue is { } queue && queue != Queue && _many is null)
        {
            return;
        }

        if (_many is not null && AcceptOfMany(told))
        {
            return;
        }

        switch (told.Event)
        {
            case "gap":
                _ = Inbox.Add(new Gap(told.Queue ?? Queue, told.From, told.To, told.Count, told.Cause ?? ""), 0);
                if (told.Cause == "reset" && _many is null)
                {
                    _position.Reset();
                }

                break;
            case "cursor" when told.Cursor is { } cursor:
                _position.MoveTo(cursor);
                _ = Inbox.Add(cursor, 0);
                break;
            case "cancel" when told.Id is { } id:
                _ = _held.Cancel(told.Queue ?? Queue, id);
                _stream.OnCancelled(id);
                break;
            case "subscribed":
                if (_token is not null && _token != told.Token)
                {
                    OnOtherPlace(told.Place);
                }

                _token = told.Token;

                // A hub is left whenever its stream ends, also where another begins.
                _left = false;
                break;
            case "close":
                throw new StreamEnd(
                    told.Code ?? "", told.Reason ?? "", told.Reconnect,
                    told.ReconnectMs > 0 ? TimeSpan.FromMilliseconds(told.ReconnectMs) : null);
            case null when told.Error is { } error:
                throw new PushQueueException(error, told.Detail ?? error);
            case null when told.Ok:
                OnStanding();
                break;
            default:
                // An event of a newer server.
                break;
        }
    }

    /// <summary>True for an event that only streams over many queues have.</summary>
    private bool AcceptOfMany(StreamEvent told)
    {
        switch (told)
        {
            case { Queues: { } queues, Cursor: { } cursor, Error: null }:
                BeginMany(queues, cursor);
                return told.Event is not null;
            case { Event: "cursor", Cursor: { } cursor }:
                _many!.Learn(cursor);
                _ = Inbox.Add(cursor, 0);
                return true;
            case { Event: "subscribed", Queue: { } queue, Position: { } position }:
                _many!.Join(queue, position);
                _stream.OnJoined(queue);
                return true;
            case { Event: "close", Queue: { } queue }:
                _many!.Forget(queue);
                _stream.OnLeft(queue, told.Code ?? "");
                return true;
            case { Event: "gap", Queue: { } queue, Cause: "reset" }:
                _many!.Forget(queue);
                return false;
            default:
                return false;
        }
    }

    /// <summary>The stream stands again, but not in the place that it had.</summary>
    private void OnOtherPlace(string? place)
    {
        if (place == "elsewhere")
        {
            // The node that it was at may keep it for a while yet.
            _goodbye.HandBackUnstarted();
        }
        else
        {
            // It was not kept long enough: others have what was held.
            _held.EndAll();
        }
    }

    private async Task RunAsync()
    {
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                var (cause, delay) = await RunOnceAsync().ConfigureAwait(false);
                if (_token is null)
                {
                    // Nobody kept its place.
                    _held.EndAll();
                }

                attempt = _stands ? 1 : attempt;
                _stands = false;
                var isPatient = _stoodOnce || Options.WaitForServer;
                var retry = isPatient ? ClientOptions.Reconnect : ClientOptions.Retry;
                if (attempt >= Math.Max(retry.Attempts, isPatient ? 1 : Http.Servers.Count) && cause is not null)
                {
                    throw cause;
                }

                var wait = delay ?? retry.DelayBefore(attempt + 1);
                LogBreak(attempt, wait, cause);
                _stream.OnReconnecting(new Reconnecting(Name, attempt, wait, cause));
                await Task.Delay(Timeouts.OrLongest(wait), ClientOptions.TimeProvider, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (StreamEnd end)
        {
            // The server ended it; its place is gone, or another's.
            _left = true;
            _stream.EndReason = end.Code;
            Inbox.End(end.Error);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            Inbox.End(null);
        }
        catch (Exception e)
        {
            // Exceptions of the program's own event handlers, too, are thrown to the consumer.
            Inbox.End(e);
        }
    }

    /// <summary>A warning for a server that is away at first, a line for a break, and what follows only for those who look for
    /// it.</summary>
    private void LogBreak(int attempt, TimeSpan wait, PushQueueException? cause)
    {
        var reason = cause?.Detail ?? "The server requested it.";
        if (attempt > 1)
        {
            Log.TriesAgain(Logger, Name, wait, attempt, reason);
        }
        else if (!_stoodOnce && Options.WaitForServer)
        {
            Log.WaitsForServer(Logger, Name, reason);
        }
        else
        {
            Log.Reconnecting(Logger, Name, wait, reason);
        }
    }

    /// <summary>One connection, to its end. Throws where there is to be no other.</summary>
    private async Task<(PushQueueException? Cause, TimeSpan? Delay)> RunOnceAsync()
    {
        try
        {
            await (_many is null ? _position.LearnStartAsync(_stop.Token) : Task.CompletedTask).ConfigureAwait(false);
            Root = Http.Servers.Current;
            await _transport.RunAsync(this, _stop.Token).ConfigureAwait(false);
            return (null, null);
        }
        catch (StreamEnd end) when (end.Reconnect)
        {
            if (end.Code == ProblemTypes.ServerShutdown)
            {
                // It has given back what its consumers held.
                _token = null;
                Http.Servers.MoveOn(Root);
            }

            return (null, end.Delay);
        }
        catch (StreamEnd end) when (end.Code == ProblemTypes.AccessEnded && TryAnotherToken())
        {
            // Whatever the consumer held was given back with its right.
            _token = null;
            return (null, null);
        }
        catch (JsonException e)
        {
            throw Answer.NotOurs(e);
        }
        catch (PushQueueException e) when (e.Type == ProblemTypes.Unauthorized && TryAnotherToken())
        {
            return (null, TimeSpan.Zero);
        }
        catch (PushQueueException e) when (e.IsTransient || (_stoodOnce && MayPassLater(e)))
        {
            Http.Servers.MoveOn(Root);
            return (e, null);
        }
        catch (Exception e) when (HttpCaller.IsBroken(e) && !_stop.IsCancellationRequested)
        {
            Http.Servers.MoveOn(Root);
            return (new PushQueueException(ProblemTypes.ConnectionLost, "The connection of the stream broke.", innerException: e), null);
        }
    }

    /// <summary>Has the provider asked for another token, once for each time that the stream stood.</summary>
    private bool TryAnotherToken()
    {
        if (!Http.Tokens.CanRenew || _askedForToken)
        {
            return false;
        }

        _askedForToken = true;
        Http.Tokens.Refused(ConnectionToken);
        return true;
    }

    /// <summary>A server that refuses options which it accepted before is in trouble for the moment.</summary>
    private static bool MayPassLater(PushQueueException e) => e.Type is ProblemTypes.BadOption or ProblemTypes.BadAnswer || e.Status >= 500;
}
