using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Commands;

namespace PushQueue.Transports.Streaming;

/// <summary>
/// What clients say over a WebSocket: <c>subscribe</c> and <c>unsubscribe</c> here, because they concern the connection; everything
/// else, broken frames included, goes to the executor that <c>POST /queue</c> uses too.
/// </summary>
internal sealed class WebSocketCommands(
    Subscriptions subscriptions,
    IServiceProvider services,
    ILogger<WebSocketCommands> logger)
{
    // A command around the largest body, whose every byte may have been escaped to six.
    private const int FrameSlack = 64 * 1024;

    private readonly ICommandExecutor? _executor = services.GetService<ICommandExecutor>();

    public int FrameBytesMax { get; } =
        (int)Math.Min(int.MaxValue / 2, (services.GetService<IMessageBroker>()?.MessageBytesMax ?? 1024 * 1024) * 2L + FrameSlack);

    /// <summary>Whether the command may take as long as it says itself.</summary>
    public static bool Waits(ReadOnlySpan<byte> frame)
    {
        try
        {
            return WordOf(frame) is "take" or "lease" && Has(frame, "wait"u8);
        }
        catch (JsonException)
        {
            // Its error answer comes at once.
            return false;
        }
    }

    public static ReadOnlyMemory<byte> TooManyWait(ReadOnlyMemory<byte> frame, int commandsMax)
    {
        using var command = JsonDocument.Parse(frame);
        return CommandErrors.Make(
            "too-many-waits",
            $"{commandsMax} takes or leases wait on this socket already; let one end first, or subscribe.",
            command.RootElement.TryGetProperty("ref", out var reference) ? reference : null);
    }

    public async ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(
        OutboundBuffer buffer, ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        try
        {
            if (WordOf(frame.Span) is "subscribe" or "unsubscribe")
            {
                using var command = JsonDocument.Parse(frame);
                return await SubscribeOrNotAsync(buffer, command.RootElement);
            }

            return _executor is null
                ? CommandErrors.Make("bad-option", "This server takes only subscribe and unsubscribe here.", null)
                : await _executor.ExecuteAsync(frame, cancellationToken);
        }
        catch (JsonException)
        {
            return CommandErrors.Make("bad-json", "The command is no valid JSON.", null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // One command's failure is no reason to cut a socket that holds other subscriptions.
            Log.CommandFailed(logger, e);
            return CommandErrors.Make("internal-error", "The command failed; try again.", null);
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> SubscribeOrNotAsync(OutboundBuffer buffer, JsonElement command)
    {
        JsonElement? reference = command.TryGetProperty("ref", out var given) ? given.Clone() : null;
        var queue = command.TryGetProperty("queue", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
        if (command.GetProperty("cmd").ValueEquals("unsubscribe"u8))
        {
            return subscriptions.Unsubscribe(buffer, queue)
                ? Answer(reference, queue!, cursor: null)
                : CommandErrors.Make("not-found", "This connection is not subscribed to that queue.", reference);
        }

        var reader = Subscriptions.ReadOptions(command, "cmd", "queue", "ref");
        var (consumer, error) = await subscriptions.SubscribeAsync(
            buffer, queue, reader, WebSocketFormat.Envelopes, WebSocketFormat.Raw);
        return consumer is null
            ? CommandErrors.Make("bad-option", error!, reference)
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

    private static bool Has(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> field)
    {
        var reader = new Utf8JsonReader(frame);
        _ = reader.Read();
        var found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            found |= reader.ValueTextEquals(field);
            reader.Skip();
        }

        return found;
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
