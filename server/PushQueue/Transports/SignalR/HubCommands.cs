using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using PushQueue.Queues;
using PushQueue.Transports.Commands;
using PushQueue.Transports.Json;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Hub methods as commands of the JSON protocol, so that the hub has no rules of its own. An error answer becomes a hub exception:
/// <c>type: sentence</c>.
/// </summary>
internal sealed class HubCommands(ICommandExecutor executor, TokenOperations tokens)
{
    private static readonly (string Name, JsonElement Value) Base64 = ("encoding", JsonElement.Parse("\"base64\""u8));

    public Task<RawJson> PutAsync(ConnectionCaller caller, string queue, HubBody body, JsonElement? options, CancellationToken aborted) =>
        body.IsBytes
            ? RunAsync(caller, "put", queue, options, aborted, ("value", body.Json), Base64)
            : RunAsync(caller, "put", queue, options, aborted, ("value", body.Json));

    public Task<RawJson> PutManyAsync(
        ConnectionCaller caller, string queue, HubBodies bodies, JsonElement? options, CancellationToken aborted)
    {
        var frame = CommandFrame.Of("put", queue ?? "", caller.Caller, [("values", bodies.Json)], options);
        frame.Bytes = bodies.Bytes;
        return RunAsync(caller, frame, aborted);
    }

    /// <summary>Runs one command; the options are fields like its arguments.</summary>
    public Task<RawJson> RunAsync(
        ConnectionCaller caller,
        string command,
        string queue,
        JsonElement? options,
        CancellationToken aborted,
        params (string Name, JsonElement Value)[] arguments) =>
        RunAsync(caller, CommandFrame.Of(command, queue ?? "", caller.Caller, arguments, options), aborted);

    public static HubException Failure(Problem problem) => new($"{problem.Type.Name}: {problem.Sentence}");

    private async Task<RawJson> RunAsync(ConnectionCaller caller, CommandFrame frame, CancellationToken aborted)
    {
        if (caller.WhyNoCommand(frame.Length) is { } problem)
        {
            throw Failure(problem);
        }

        frame.Pending = frame.Takes ? new PendingTake() : null;
        var result = await executor.ExecuteAsync(frame, aborted);
        if (result.Problem is { } refusal)
        {
            throw Failure(refusal);
        }

        if (frame.Pending is not { IsHeld: true } pending)
        {
            return new RawJson(result.Json);
        }

        // A hub whose connection has ended writes no answer, and reports nothing.
        _ = aborted.UnsafeRegister(static state => _ = ((PendingTake)state!).SettleAsync(written: false), pending);
        return new RawJson(result.Json, pending);
    }

    /// <summary>Renews the rights of a connection.</summary>
    public async Task<RenewedRights> RenewAsync(ConnectionCaller caller, string? token, CancellationToken aborted)
    {
        var renewed = await tokens.RenewAsync(caller, token ?? "", aborted);
        return renewed.Problem is { } problem ? throw Failure(problem) : renewed.Value!;
    }
}
