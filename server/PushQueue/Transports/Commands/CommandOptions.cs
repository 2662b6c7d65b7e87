using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Transports.Commands;

/// <summary>The fields of commands as the core's values.</summary>
internal static class CommandOptions
{
    public static Problem NoMessage { get; } = Problem.NotFound("No live message of this queue has that id; it may have been taken already.");

    /// <summary>The problem of a field that the command does not take.</summary>
    public static Problem? Only(CommandFrame frame, params ReadOnlySpan<string> allowed)
    {
        foreach (var name in frame.Names)
        {
            if (name is not "queue" && !allowed.Contains(name))
            {
                return OptionValues.Unknown(name, "queue, " + string.Join(", ", allowed!));
            }
        }

        return null;
    }

    public static Problem? Id(CommandFrame frame, bool required, out MessageId? id)
    {
        id = null;

        var problem = frame.Text("id", required, out var text);
        if (problem is not null || text is null)
        {
            return problem;
        }

        if (!MessageId.TryParse(text, out var parsed, out var whyNot))
        {
            return new Problem(ProblemType.BadMessageId, whyNot);
        }

        id = parsed;
        return null;
    }

    public static Problem? Take(CommandFrame frame, bool lease, out TakeRequest request)
    {
        request = new TakeRequest();
        foreach (var name in frame.Names)
        {
            if (name is "queue")
            {
                continue;
            }

            if (frame.Text(name, required: true, out var value) is { } problem)
            {
                return problem;
            }

            var wrong = TakeOptions.Set(name, value!, ref request, out var known);
            if (!known || (name is "ttr" && !lease))
            {
                return OptionValues.Unknown(name, lease ? "queue, count, wait, worker, ttr" : "queue, count, wait, worker");
            }

            if (wrong is not null)
            {
                return wrong;
            }
        }

        return null;
    }

    /// <summary>One message, or null; a list where the command asked for a count.</summary>
    public static void WriteTaken<T>(Utf8JsonWriter writer, bool many, IReadOnlyList<T> taken, Action<Utf8JsonWriter, T> write)
    {
        if (many)
        {
            writer.WriteStartArray("messages"u8);
            foreach (var item in taken)
            {
                write(writer, item);
            }

            writer.WriteEndArray();
            return;
        }

        writer.WritePropertyName("message"u8);
        if (taken is [var first, ..])
        {
            write(writer, first);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
