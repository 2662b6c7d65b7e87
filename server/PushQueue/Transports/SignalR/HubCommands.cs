using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Commands;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Hub methods as commands of the JSON protocol, so that the hub has no rules of its own. An error answer becomes a hub exception:
/// <c>type: sentence</c>.
/// </summary>
internal sealed class HubCommands(ICommandExecutor executor)
{
    /// <summary>Runs one command; options are fields next to its own.</summary>
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

        var read = CommandFrame.Read(frame, caller.Caller);
        read.Pending = read.Takes ? new PendingTake() : null;
        var result = await executor.ExecuteAsync(read, aborted);
        if (result.Problem is { } refusal)
        {
            throw Failure(refusal);
        }

        if (read.Pending is not { IsHeld: true } pending)
        {
            return new RawJson(result.Json);
        }

        // A hub whose connection has ended writes no answer, and reports nothing.
        _ = aborted.UnsafeRegister(static state => _ = ((PendingTake)state!).SettleAsync(written: false), pending);
        return new RawJson(result.Json, pending);
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
                WriteField(writer, name, JsonText.Raw(given));
            }
        }

        if (options is { ValueKind: JsonValueKind.Object } more)
        {
            WriteOptions(writer, more);
        }

        writer.Write((byte)'}');
        var frame = writer.ToArray();
        writer.Return();
        return frame;
    }

    private static void WriteOptions(PageWriter writer, JsonElement options)
    {
        var reader = new Utf8JsonReader(JsonText.Raw(options), JsonBody.ReaderOptions);
        reader.Read();
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (name is "cmd" or "queue" or "ref")
            {
                throw Failure(Problem.BadOption($"'{name}' is not an option of this method."));
            }

            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            WriteField(writer, name, JsonText.Raw(options)[start..(int)reader.BytesConsumed]);
        }

        if (fields.Problem is { } problem)
        {
            throw Failure(problem);
        }
    }

    private static void WriteField(PageWriter writer, string name, ReadOnlySpan<byte> json)
    {
        writer.Write((byte)',');
        writer.WriteJsonString(name);
        writer.Write((byte)':');
        writer.Write(json);
    }
}
