using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Examples;

/// <summary>The dashboard's snippet for .NET, compiled here as it is copied, through a restart of the server.</summary>
public sealed partial class ListenSnippetTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_dotnet_snippet_goes_on_after_a_restart_of_the_server_and_misses_nothing()
    {
        using var data = new TemporaryDirectory();
        var first = await ServerProcess.StartAsync(data.Path);
        await using var proxy = new TcpProxy(first.Address.Port);
        var heard = new Lines();
        var listening = ListenAsync($"http://127.0.0.1:{proxy.Port}/hub", heard);
        await listening.WaitAsync(Patience);
        await PutAsync(first, "before");
        await heard.UntilAsync("before");

        Assert.Equal(0, await first.StopAsync());
        await first.DisposeAsync();
        await using var second = await ServerProcess.StartAsync(data.Path);
        proxy.Target = second.Address.Port;
        await PutAsync(second, "away");
        await heard.UntilAsync("away");
        await PutAsync(second, "again");
        await heard.UntilAsync("again");

        Assert.Equal(["before", "away", "again"], heard.Bodies);
        await (await listening).DisposeAsync();
    }

    [Fact]
    public async Task The_snippet_of_the_dashboard_is_the_one_that_is_tested_here()
    {
        var script = await File.ReadAllTextAsync(Repository.PathOf("wwwroot", "js", "panels", "listen.js"));
        var source = await File.ReadAllTextAsync(Repository.PathOf("tests", "PushQueue.SystemTests", "Examples", "ListenSnippetTests.cs"));

        var shown = Shown().Match(script).Groups["text"].Value
            .Replace("${literal(hub)}", "hub", StringComparison.Ordinal)
            .Replace("${provider}", "", StringComparison.Ordinal)
            .Replace("${literal(queue)}", "\"news\"", StringComparison.Ordinal)
            .Replace("await using var connection", "var connection", StringComparison.Ordinal);
        var tested = Tested().Match(source).Groups["text"].Value;

        Assert.Equal(shown, string.Join('\n', tested.Split('\n').Select(static line => line.Length > 8 ? line[8..] : "")).Trim());
    }

    private static async Task PutAsync(ServerProcess server, string body)
    {
        using var put = await server.Client.PostAsync("/q/news", new StringContent(body));
        Assert.True(put.IsSuccessStatusCode);
    }

    /// <summary>The snippet with its queue. The caller ends the connection, as the end of a program does.</summary>
    private static async Task<HubConnection> ListenAsync(string hub, Lines Console)
    {
        // Begin
        var connection = new HubConnectionBuilder()
            .WithUrl(hub, options =>
            {
                options.SkipNegotiation = true;
                options.Transports = HttpTransportType.WebSockets;
            })
            .WithAutomaticReconnect([.. Enumerable.Repeat(TimeSpan.FromSeconds(2), 10_000)])
            .Build();
        string? epoch = null, from = null; // where a new connection continues
        connection.On<JsonElement>("message", message =>
        {
            if (message.TryGetProperty("offset", out var offset))
            {
                from = epoch is null ? $"{offset.GetInt64() + 1}" : $"{epoch}.{offset}";
            }

            Console.WriteLine(message);
        });
        connection.Reconnected += _ => SubscribeAsync();
        await connection.StartAsync();
        await SubscribeAsync();

        async Task SubscribeAsync()
        {
            object options = from is null ? new { } : new { from };
            var answer = await connection.InvokeAsync<JsonElement>("Subscribe", "news", options);
            if (answer.TryGetProperty("cursor", out var cursor))
            {
                from = cursor.GetString();
                epoch = from!.Split('.')[0];
            }
        }

        // End
        return connection;
    }

    [GeneratedRegex("dotnet: `(?<text>[^`]*)`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Shown();

    [GeneratedRegex("// Begin\n(?<text>.*?)\n\n {8}// End", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Tested();

    /// <summary>Takes the place of the console in the snippet.</summary>
    private sealed class Lines
    {
        private readonly ConcurrentQueue<string> _bodies = new();

        public string[] Bodies => [.. _bodies];

        public void WriteLine(JsonElement message) => _bodies.Enqueue(message.GetProperty("body").GetString()!);

        public Task UntilAsync(string body) => Eventually.TrueAsync(() => _bodies.Contains(body), $"'{body}' is heard");
    }
}
