using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using PushQueue.Client;
using PushQueue.ClientTests.Cli;
using PushQueue.ClientTests.Streaming;
using PushQueue.ClientTests.Support;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Requests;

/// <summary>Keys of a real access file: the right one, a wrong one, and one that is revoked while it is used.</summary>
public sealed class AccessRuleTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private string _admin = "";
    private string _shop = "";
    private string _adminEntry = "";
    private ServerProcess _server = null!;

    public static TheoryData<ConsumeTransport> Transports => ResumeTests.Transports;

    private string File => Path.Combine(_folder.Path, "access.json");

    public async ValueTask InitializeAsync()
    {
        (_admin, _adminEntry) = await NewKeyAsync("admin", "*", "put,take,listen,manage");
        (_shop, var shopEntry) = await NewKeyAsync("shop", "orders", "put,listen");
        await System.IO.File.WriteAllTextAsync(File, $$"""{"keys":[{{_adminEntry}},{{shopEntry}}]}""");
        _server = await ServerProcess.StartAsync(Path.Combine(_folder.Path, "data"), "--auth", File);
        using var admin = Client(_admin);
        await admin.ChangeSettingsAsync("orders", new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
        UnobservedExceptions.AssertNone();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task The_right_key_opens_what_it_is_for(ConsumeTransport transport)
    {
        using var client = Client(_shop);
        await client.PutAsync("orders", "1").WithTimeout();
        await foreach (var message in client.ConsumeAsync("orders", Manual(transport)))
        {
            Assert.True(await message.AckAsync().WithTimeout());
            break;
        }

        var error = await Assert.ThrowsAsync<PushQueueException>(() => client.TakeAsync("orders")).WithTimeout();
        Assert.Equal((ProblemTypes.Forbidden, 403), (error.Type, error.Status));
        error = await Assert.ThrowsAsync<PushQueueException>(() => client.PutAsync("news", "1")).WithTimeout();
        Assert.Equal(ProblemTypes.Forbidden, error.Type);
        await AssertRefusedAsync(client, "news", transport, ProblemTypes.Forbidden);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_wrong_key_or_none_is_refused_at_once(ConsumeTransport transport)
    {
        foreach (var key in (string?[])["pq_nonsense", null])
        {
            using var client = Client(key);
            var error = await Assert.ThrowsAsync<PushQueueException>(() => client.PutAsync("orders", "1")).WithTimeout();
            Assert.Equal((ProblemTypes.Unauthorized, 401), (error.Type, error.Status));
            await AssertRefusedAsync(client, "orders", transport, ProblemTypes.Unauthorized);
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_key_that_is_revoked_ends_the_stream_with_a_word_and_loses_nothing(ConsumeTransport transport)
    {
        using var client = Client(_shop);
        await client.PutAsync("orders", "1").WithTimeout();
        await using var messages = client.ConsumeAsync("orders", Manual(transport)).GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
        var held = messages.Current;

        await RevokeShopAsync();

        var error = await Assert.ThrowsAsync<PushQueueException>(() => messages.MoveNextAsync().AsTask()).WithTimeout();
        Assert.Equal(ProblemTypes.AccessEnded, error.Type);
        error = await Assert.ThrowsAsync<PushQueueException>(() => held.AckAsync()).WithTimeout();
        Assert.Equal(ProblemTypes.Unauthorized, error.Type);
        using var admin = Client(_admin);
        Assert.NotNull(await admin.TakeAsync("orders", wait: TimeSpan.FromSeconds(50)).WithTimeout());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_reason_of_the_end_comes_after_all_that_a_hub_connection_had_received(bool skipNegotiation)
    {
        const int Count = 12;
        using var client = Client(_shop);
        await client.PutManyAsync("orders", Enumerable.Repeat(PutMessage.Bytes(new byte[500_000]), Count)).WithTimeout();
        await using var hub = new HubConnectionBuilder().WithUrl(new Uri(_server.Address, "hub"), HttpTransportType.WebSockets, options =>
        {
            options.SkipNegotiation = skipNegotiation;
            options.AccessTokenProvider = () => Task.FromResult<string?>(_shop);
        }).Build();
        var closed = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        hub.Closed += error =>
        {
            closed.TrySetResult(error);
            return Task.CompletedTask;
        };
        var options = new HubConsumeOptions(hub) { Prefetch = Count };
        await using var messages = client.ConsumeAsync("orders", options).GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
        using var admin = Client(_admin);
        await Waiting.UntilAsync(
            async () => (await admin.GetConsumersAsync("orders")) is [{ Delivered: Count, WaitingBytes: 0 }], "not all is written");

        await RevokeShopAsync();

        Assert.Contains("key", (await closed.Task.WithTimeout())?.Message, StringComparison.Ordinal);
        for (var received = 1; received < Count; received++)
        {
            Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());
        }

        var error = await Assert.ThrowsAsync<PushQueueException>(() => messages.MoveNextAsync().AsTask()).WithTimeout();
        Assert.Equal(ProblemTypes.AccessEnded, error.Type);
    }

    [Fact]
    public async Task The_tool_takes_a_key_as_an_option_or_from_the_environment()
    {
        var option = await Tool.RunAsync(_server.Address, null, "put", "orders", "by option", "--key", _shop);
        var variable = await Tool.RunAsync(_server.Address, null, ("PUSHQUEUE_KEY", _shop), "put", "orders", "by variable");
        var wins = await Tool.RunAsync(_server.Address, null, ("PUSHQUEUE_KEY", "pq_wrong"), "put", "orders", "x", "--key", _shop);
        var wrong = await Tool.RunAsync(_server.Address, null, ("PUSHQUEUE_KEY", "pq_wrong"), "put", "orders", "x");
        var none = await Tool.RunAsync(_server.Address, null, "put", "orders", "x", "--json");
        var forbidden = await Tool.RunAsync(_server.Address, null, "take", "orders", "--key", _shop);

        Assert.Equal([0, 0, 0, 1, 1, 1], new[] { option, variable, wins, wrong, none, forbidden }.Select(result => result.ExitCode));
        Assert.Contains("unauthorized", none.Errors, StringComparison.Ordinal);
        Assert.Contains("take", forbidden.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("pq_", wrong.Errors + wrong.Output, StringComparison.Ordinal);
    }

    private async Task RevokeShopAsync()
    {
        await System.IO.File.WriteAllTextAsync(File + ".new", $$"""{"keys":[{{_adminEntry}}]}""");
        System.IO.File.Move(File + ".new", File, overwrite: true);
    }

    private static ConsumeOptions Manual(ConsumeTransport transport) => new() { Transport = transport, Ack = AckMode.Manual };

    private static async Task AssertRefusedAsync(PushQueueClient client, string queue, ConsumeTransport transport, string type)
    {
        await using var messages = client.ConsumeAsync(queue, Manual(transport)).GetAsyncEnumerator();
        var error = await Assert.ThrowsAsync<PushQueueException>(() => messages.MoveNextAsync().AsTask()).WithTimeout();
        Assert.Equal(type, error.Type);
    }

    private PushQueueClient Client(string? key) => new(new PushQueueClientOptions { Server = _server.Address, Key = key });

    internal static async Task<(string Key, string Entry)> NewKeyAsync(string name, string queue, string can)
    {
        var (_, output) = await ServerProcess.RunAsync("key", "new", "--name", name, "--queue", queue, "--can", can);
        return (output.Split('\n').Single(
            static line => line.StartsWith("pq_", StringComparison.Ordinal)), output[output.IndexOf('{', StringComparison.Ordinal)..]);
    }
}
