using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Transports.Commands;
using PushQueue.Transports.Framing;
using PushQueue.Transports.Json;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Streaming;

/// <summary>
/// Commands over a WebSocket: <c>subscribe</c>, <c>unsubscribe</c> and <c>auth</c> here, because they concern the connection; everything
/// else, broken frames included, goes to the executor that <c>POST /queue</c> uses too.
/// </summary>
internal sealed class WebSocketCommands(
    Subscriptions subscriptions,
    TokenOperations tokens,
    IServiceProvider services,
    IOptions<DeliveryOptions> options,
    ILogger<WebSocketCommands> logger)
{
    private readonly ICommandExecutor? _executor = services.GetService<ICommandExecutor>();

    public int FrameBytesMax { get; } = FrameLimit.BytesMax(options.Value, services.GetService<IMessageBroker>());

    /// <summary>Reads a frame, once for all who need to know what is in it.</summary>
    public static CommandFrame Read(OutboundBuffer buffer, ReadOnlyMemory<byte> frame)
    {
        var read = CommandFrame.Read(frame, ((ConnectionCaller)buffer.Connection.Rights).Caller);
        read.Pending = read.Takes ? new PendingTake() : null;
        return read;
    }

    public async ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(
        OutboundBuffer buffer, CommandFrame frame, CancellationToken cancellationToken)
    {
        try
        {
            var caller = (ConnectionCaller)buffer.Connection.Rights;
            if (caller.WhyNoCommand(frame.Length) is { } tooMany)
            {
                return Refuse(frame, tooMany);
            }

            if (frame.Problem is null && frame.Command is "subscribe" or "unsubscribe")
            {
                return (await SubscribeOrNotAsync(buffer, frame)).Json;
            }

            if (frame.Problem is null && frame.Command == "auth")
            {
                return (await AuthenticateAsync(caller, frame, cancellationToken)).Json;
            }

            return _executor is null
                ? Refuse(frame, Problem.BadOption("Only subscribe and unsubscribe work here."))
                : (await _executor.ExecuteAsync(frame, cancellationToken)).Json;
        }
        catch (StoreUnavailableException)
        {
            return Refuse(frame, new Problem(ProblemType.StoreUnavailable));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A failed command does not cut the socket, which holds other subscriptions.
            Log.CommandFailed(logger, e);
            _ = frame.Pending?.SettleAsync(written: false);
            return Refuse(frame, new Problem(ProblemType.InternalError));
        }
    }

    /// <summary>An error answer with the command's <c>ref</c>, without executing it.</summary>
    public static ReadOnlyMemory<byte> Refuse(CommandFrame frame, Problem problem) => CommandAnswer.Error(frame, problem).Json;

    private const string Queues = "queues";
    private const string Match = "match";

    /// <summary>Renews the rights of the connection.</summary>
    private async ValueTask<CommandResult> AuthenticateAsync(
        ConnectionCaller caller, CommandFrame frame, CancellationToken cancellationToken)
    {
        if (Problem.First(frame.OnlyThese("token"), frame.Text("token", required: true, out var token)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var renewed = await tokens.RenewAsync(caller, token!, cancellationToken);
        if (renewed.Problem is { } refusal)
        {
            return CommandAnswer.Error(frame, refusal);
        }

        var json = CommandAnswer.Begin(frame);
        if (renewed.Value!.Expires is { } expires)
        {
            json.Writer.WriteString("expires"u8, TimeConverter.Format(expires));
        }

        return CommandAnswer.End(json);
    }

    private async ValueTask<CommandResult> SubscribeToManyAsync(OutboundBuffer buffer, CommandFrame frame)
    {
        if (frame.Has("queue"))
        {
            return CommandAnswer.Error(frame, Problem.BadOption("Give queue for one queue, or queues and match for many."));
        }

        var (names, patterns) = (new List<string?>(), new List<string?>());
        var problem = NameListJson.Read(frame.Raw(Queues), Queues, names) ?? NameListJson.Read(frame.Raw(Match), Match, patterns);
        var reader = new ConsumerOptionsReader(isOverMany: true);
        problem ??= ReadOptions(frame, reader, own: $"{Queues}, {Match}");
        if (problem is not null || ManyRequest.Of(names, patterns, reader, out problem) is not { } request)
        {
            return CommandAnswer.Error(frame, problem!);
        }

        var (opening, refusal) = await subscriptions.SubscribeManyAsync(buffer, request, ManyFormat.Sockets, ManyFormat.RawSockets);
        return opening is null ? CommandAnswer.Error(frame, refusal!) : CommandAnswer.OfSubscription(frame, opening.Queues, opening.Cursor);
    }

    private CommandResult UnsubscribeMany(OutboundBuffer buffer, CommandFrame frame) =>
        frame.Only() is { } problem ? CommandAnswer.Error(frame, problem)
        : subscriptions.UnsubscribeMany(buffer) ? CommandAnswer.End(CommandAnswer.Begin(frame))
        : CommandAnswer.Error(
            frame, Problem.NotFound("This connection has no subscription to many queues; name the queue to end another one."));

    private static Problem? ReadOptions(CommandFrame frame, ConsumerOptionsReader reader, string own)
    {
        var who = frame.Raw("who");
        if (who is [(byte)'{', ..])
        {
            _ = reader.ReadWho(who);
            own = own.Length > 0 ? $"{own}, who" : "who";
        }

        var fields = new FrameOptions(frame, own);
        while (fields.Next(out var name, out var value))
        {
            reader.Read(name.ToString(), value);
        }

        return fields.Problem;
    }

    private async ValueTask<CommandResult> SubscribeOrNotAsync(OutboundBuffer buffer, CommandFrame frame)
    {
        if (frame.Command == "subscribe" && (frame.Has(Queues) || frame.Has(Match)))
        {
            return await SubscribeToManyAsync(buffer, frame);
        }

        if (frame.Command == "unsubscribe" && !frame.Has("queue"))
        {
            return UnsubscribeMany(buffer, frame);
        }

        if (frame.Text("queue", required: false, out var queueName) is { } unreadable)
        {
            return CommandAnswer.Error(frame, unreadable);
        }

        if (!QueueName.TryParse(queueName, out var queue, out var whyNot))
        {
            return CommandAnswer.Error(frame, new Problem(ProblemType.BadQueueName, whyNot));
        }

        if (frame.Command == "unsubscribe")
        {
            var found = false;
            var wrong = frame.Only("started") ?? subscriptions.Unsubscribe(buffer, queue, frame.Raw("started"), out found);
            return wrong is not null ? CommandAnswer.Error(frame, wrong)
                : found ? CommandAnswer.OfSubscription(frame, queue, cursor: null)
                : CommandAnswer.Error(frame, Problem.NotFound("This connection is not subscribed to that queue."));
        }

        var reader = new ConsumerOptionsReader();
        if (ReadOptions(frame, reader, own: "") is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var (consumer, refusal) = await subscriptions.SubscribeAsync(
            buffer, queueName, reader, WebSocketFormat.Envelopes, WebSocketFormat.Raw);
        return consumer is null
            ? CommandAnswer.Error(frame, refusal!)
            : CommandAnswer.OfSubscription(frame, queue, await Dispatcher.CursorAsync(consumer));
    }
}
