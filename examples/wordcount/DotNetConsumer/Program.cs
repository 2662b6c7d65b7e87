using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using PushQueue.Client.SignalR;

namespace DotNetConsumer;

/// <summary>
/// Subscribes to a queue over the hub and writes what comes, a JSON object per line, until the queue is deleted. Ends with its parent: when
/// standard input is closed, nobody reads any more.
/// </summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is not [var server, var queue])
        {
            await Console.Error.WriteLineAsync("Usage: DotNetConsumer http://HOST:PORT QUEUE");
            return 2;
        }

        try
        {
            return await ConsumeAsync(new Uri(server), queue);
        }
        catch (Exception e) when (e is WebSocketException or HubException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static async Task<int> ConsumeAsync(Uri server, string queue)
    {
        await using var connection = new HubConnectionBuilder().WithPushQueue(server).Build();
        await using var output = TextWriter.Synchronized(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true });
        var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.On<JsonElement>("message", envelope => output.WriteLine(envelope.GetRawText()));
        connection.On<JsonElement>("gap", gap => output.WriteLine(gap.GetRawText()));
        connection.On<JsonElement>("close", close =>
        {
            output.WriteLine(close.GetRawText());
            ended.TrySetResult(0);
        });
        connection.Closed += error =>
        {
            Console.Error.WriteLine($"The connection was closed: {error?.Message ?? "by the server"}");
            ended.TrySetResult(1);
            return Task.CompletedTask;
        };

        await connection.StartAsync();
        await connection.InvokeAsync("Subscribe", queue);
        await output.WriteLineAsync("""{"event":"subscribed"}""");
        _ = EndWithParentAsync(ended);
        return await ended.Task;
    }

    private static async Task EndWithParentAsync(TaskCompletionSource<int> ended)
    {
        _ = await Console.In.ReadToEndAsync();
        ended.TrySetResult(1);
    }
}
