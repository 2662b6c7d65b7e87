using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Commands;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Hub methods as commands of the JSON protocol, so that the hub has no rules of its own. An error answer becomes a hub exception:
/// <c>type: sentence</c>.
/// </summary>
internal sealed class HubCommands(ICommandExecutor executor)
{
    /// <summary>Runs one command; options are fields beside its own.</summary>
    public async Task<RawJson> RunAsync(
        ConnectionCaller caller,
        string command,
        string queue,
        JsonElement? options,
        CancellationToken aborted,
        params (string Name, JsonElement? Value)[] fields)
    {
        var frame = Frame(command, queue, options, fields);
        if (caller.WhyNoCommand(frame.Length) is { } problem)
        {
            throw Failure(problem);
        }

        var answer = await executor.ExecuteAsync(frame, caller.Caller, aborted);
        ThrowIfError(answer);
        return new RawJson(answer);
    }

    public static HubException Failure(Problem problem) => new($"{problem.Type.Name}: {problem.Sentence}");

    private static byte[] Frame(string command, string queue, JsonElement? options, (string Name, JsonElement? Value)[] fields)
    {
        var writer = PageWriter.Rent();
        writer.Write("{\"cmd\":"u8);
        writer.WriteJsonString(command);
        writer.Write(",\"queue\":"u8);
        writer.WriteJsonString(queue ?? string.Empty);
        foreach (var (name, value) in fields)
        {
            if (value is { } given)
            {
                WriteField(writer, name, given);
            }
        }

        if (options is { ValueKind: JsonValueKind.Object } more)
        {
            foreach (var field in more.EnumerateObject())
            {
                if (field.Name is "cmd" or "queue" or "ref")
                {
                    throw Failure(Problem.BadOption($"'{field.Name}' is no option of this method."));
                }

                WriteField(writer, field.Name, field.Value);
            }
        }

        writer.Write((byte)'}');
        var frame = writer.ToArray();
        writer.Return();
        return frame;
    }

    private static void WriteField(PageWriter writer, string name, JsonElement value)
    {
        writer.Write((byte)',');
        writer.WriteJsonString(name);
        writer.Write((byte)':');
        writer.WriteUtf8(value.GetRawText());
    }

    private static void ThrowIfError(ReadOnlyMemory<byte> answer)
    {
        using var json = JsonDocument.Parse(answer);
        if (json.RootElement.TryGetProperty("error", out var error))
        {
            var detail = json.RootElement.TryGetProperty("detail", out var sentence) ? sentence.GetString() : null;
            throw new HubException($"{error}: {detail}");
        }
    }
}
