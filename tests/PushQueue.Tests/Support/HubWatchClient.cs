using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;
using PushQueue.Client.SignalR;

namespace PushQueue.Tests.Support;

/// <summary>One stream of the hub, read an item at a time.</summary>
internal sealed class HubWatchClient : IAsyncDisposable
{
    private readonly HubConnection _connection;
    private readonly CancellationTokenSource _end = new();
    private readonly IAsyncEnumerator<JsonElement> _items;

    private HubWatchClient(HubConnection connection, string method, object?[] arguments)
    {
        _connection = connection;
        _items = connection.StreamAsyncCore<JsonElement>(method, arguments, _end.Token).GetAsyncEnumerator();
    }

    public static Task<HubWatchClient> OpenAsync(PushQueueServer server, string method, params object?[] arguments) =>
        OpenWithKeyAsync(server, key: null, method, arguments);

    public static async Task<HubWatchClient> OpenWithKeyAsync(
        PushQueueServer server,
        string? key,
        string method,
        params object?[] arguments)
    {
        var connection = new HubConnectionBuilder().WithPushQueue(server.Address, key).Build();
        await connection.StartAsync().WithTimeout();
        return new HubWatchClient(connection, method, arguments);
    }

    public async Task<JsonElement> NextAsync()
    {
        if (!await _items.MoveNextAsync().WithTimeout())
        {
            throw new InvalidOperationException("The stream has ended.");
        }

        return _items.Current;
    }

    /// <summary>The first item from here on that is as wanted.</summary>
    public async Task<JsonElement> NextAsync(Func<JsonElement, bool> wanted)
    {
        while (true)
        {
            if (await NextAsync() is var item && wanted(item))
            {
                return item;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _connection.DisposeAsync();
        _end.Dispose();
    }
}
