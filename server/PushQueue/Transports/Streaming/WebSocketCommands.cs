using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Commands;

namespace PushQueue.Transports.Streaming;

/// <summary>
/// What clients say over a WebSocket: <c>subscribe</c> and <c>unsubscribe</c> here, because they concern the connection; everything
/// else, broken frames included, goes to the executor that <c>POST /queue</c> uses too.
/// </summary>
internal sealed class WebSocketCommands(
    Subscriptions subscriptions,
    IServiceProvider services,
    IOptions<DeliveryOptions> options,
    ILogger<WebSocketCommands> logger)
{
    private readonly ICommandExecutor? _executor = services.GetService<ICommandExecutor>();

    public int FrameBytesMax { get; } = FrameLimit.BytesMax(options.Value, services.GetService<IMessageBroker>());

    public async ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(
        OutboundBuffer buffer, ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        try
        {
            var caller = (ConnectionCaller)buffer.Connection.Rights;
            if (caller.WhyNoCommand(frame.Length) is { } tooMany)
            {
                return Refuse(frame, tooMany);
            }

            if (WordOf(frame.Span) is "subscribe" or "unsubscribe")
            {
                using var command = JsonDocument.Parse(frame);
                return await SubscribeOrNotAsync(buffer, command.RootElement);
            }

            return _executor is null
                ? CommandErrors.Make("bad-option", "This server takes only subscribe and unsubscribe here.", null)
                : await _executor.ExecuteAsync(frame, caller.Caller, cancellationToken);
        }
        catch (JsonException)
        {
            return CommandErrors.Make("bad-json", "The command is no valid JSON.", null);
        }
        catch (StoreUnavailableException e)
        {
            return Refuse(frame, new Problem(ProblemType.StoreUnavailable, e.Message));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // One command's failure is no reason to cut a socket that holds other subscriptions.
            Log.CommandFailed(logger, e);
            return Refuse(frame, new Problem(ProblemType.InternalError));
        }
    }

    /// <summary>An error answer with the command's <c>ref</c>, without executing it.</summary>
    public static ReadOnlyMemory<byte> Refuse(ReadOnlyMemory<byte> frame, Problem problem) =>
        CommandAnswer.Error(CommandFrame.Read(frame, Caller.Nobody).Frame, problem).Json;

    private async ValueTask<ReadOnlyMemory<byte>> SubscribeOrNotAsync(OutboundBuffer buffer, JsonElement command)
    {
        JsonElement? reference = command.TryGetProperty("ref", out var given) ? given.Clone() : null;
        var queue = command.TryGetProperty("queue", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
        if (command.GetProperty("cmd").ValueEquals("unsubscribe"u8))
        {
            JsonElement? started = command.TryGetProperty("started", out var list) ? list : null;
            return subscriptions.Unsubscribe(buffer, queue, started, out var found) is { } wrong
                ? CommandErrors.Make(wrong.Type.Name, wrong.Sentence, reference)
                : found ? Answer(reference, queue!, cursor: null)
                : CommandErrors.Make("not-found", "This connection is not subscribed to that queue.", reference);
        }

        var reader = Subscriptions.ReadOptions(command, "cmd", "queue", "ref");
        var (consumer, problem) = await subscriptions.SubscribeAsync(
            buffer, queue, reader, WebSocketFormat.Envelopes, WebSocketFormat.Raw);
        return consumer is null
            ? CommandErrors.Make(problem!.Type.Name, problem.Sentence, reference)
            : Answer(reference, queue!, await Dispatcher.CursorAsync(consumer));
    }

    private static ReadOnlyMemory<byte> Answer(JsonElement? reference, string queue, Cursor? cursor)
    {
        var writer = PageWriter.Rent();
        writer.Write("{"u8);
        CommandErrors.WriteRef(writer, reference);
        writer.Write("\"ok\":true,\"queue\":"u8);
        writer.WriteJsonString(queue);
        if (cursor is { } position)
        {
            writer.Write(",\"cursor\":"u8);
            writer.WriteJsonString(position.ToString());
        }

        writer.Write((byte)'}');
        var answer = writer.ToArray();
        writer.Return();
        return answer;
    }

    /// <summary>
    /// Whether the command asks to wait (<c>wait</c>, <c>waitForAck</c>): what follows it, perhaps the ack that it waits for, must not wait too.
    /// </summary>
    public static bool Waits(ReadOnlySpan<byte> frame)
    {
        if (frame.IndexOf("\"wait"u8) < 0)
        {
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(frame, JsonBody.ReaderOptions);
            var asked = false;
            while (reader.Read())
            {
                if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName)
                {
                    asked |= reader.ValueTextEquals("wait"u8) || reader.ValueTextEquals("waitForAck"u8);
                }
            }

            return asked;
        }
        catch (JsonException)
        {
            // Whoever executes it will answer what is wrong.
            return false;
        }
    }

    /// <summary>The command's word where it stands at the top level; null where the frame is no such object.</summary>
    private static string? WordOf(ReadOnlySpan<byte> frame)
    {
        var reader = new Utf8JsonReader(frame);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("cmd"u8))
            {
                return reader.Read() && reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            }

            if (!reader.Read())
            {
                return null;
            }

            reader.Skip();
        }

        return null;
    }
}
