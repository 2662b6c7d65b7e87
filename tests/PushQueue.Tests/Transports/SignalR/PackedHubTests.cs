using System.Reflection;
using System.Threading.Channels;
using MessagePack;
using MessagePack.Resolvers;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Tests.Support;
using PushQueue.Transports.SignalR;
using Xunit;

namespace PushQueue.Tests.Transports.SignalR;

/// <summary>SignalR's own client with <c>AddMessagePackProtocol()</c>, against the whole server.</summary>
public sealed class PackedHubTests : IAsyncLifetime
{
    private static readonly byte[] Bytes = [0, 0xFF, 0x1F, 0x8B];

    private PushQueueServer _server = null!;

    /// <summary>The ways to the hub that carry bytes: its own WebSocket, and SignalR's transports.</summary>
    public static TheoryData<HttpTransportType, bool> Ways => new()
    {
        { HttpTransportType.WebSockets, true }, { HttpTransportType.WebSockets, false }, { HttpTransportType.LongPolling, false },
    };

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Every_kind_of_body_is_pushed_as_its_value(HttpTransportType transport, bool skipNegotiation)
    {
        await using var hub = await ConnectAsync(transport, skipNegotiation);
        var messages = Channel.CreateUnbounded<Dictionary<string, object>>();
        hub.On<Dictionary<string, object>>("message", message => messages.Writer.TryWrite(message));
        _ = await hub.InvokeAsync<object>("Subscribe", "q", new { from = "earliest" }).WithTimeout();

        await PutAsync(Bytes, "application/gzip");
        await PutAsync("{\"a\":[1,2.5,null,true],\"b\":{}}"u8.ToArray(), "application/json");
        await PutAsync("text"u8.ToArray(), "text/plain");
        await PutAsync("{broken"u8.ToArray(), "application/json");
        await PutAsync("\"\\ud83d\""u8.ToArray(), "application/json");

        var bytes = await messages.Reader.ReadAsync().AsTask().WithTimeout();
        Assert.Equal(Bytes, bytes["body"]);
        Assert.Equal("application/gzip", bytes["contentType"]);
        Assert.Equal((byte)1, bytes["offset"]);
        Assert.Equal("1", bytes["id"]);
        Assert.False(bytes.ContainsKey("encoding"));
        var json = (Dictionary<object, object>)(await messages.Reader.ReadAsync().AsTask().WithTimeout())["body"];
        Assert.Equal([(byte)1, 2.5, null, true], (object?[])json["a"]);
        Assert.Empty((Dictionary<object, object>)json["b"]);
        Assert.Equal("text", (await messages.Reader.ReadAsync().AsTask().WithTimeout())["body"]);
        var broken = await messages.Reader.ReadAsync().AsTask().WithTimeout();
        Assert.Equal("{broken"u8.ToArray(), broken["body"]);
        Assert.Equal("application/json", broken["contentType"]);
        Assert.Equal("\"\\ud83d\""u8.ToArray(), (await messages.Reader.ReadAsync().AsTask().WithTimeout())["body"]);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Bodies_come_raw_and_as_items_of_a_stream(HttpTransportType transport, bool skipNegotiation)
    {
        await PutAsync(Bytes, "application/gzip");
        await PutAsync("[1]"u8.ToArray(), "application/json");
        await using var hub = await ConnectAsync(transport, skipNegotiation);
        var bodies = Channel.CreateUnbounded<object>();
        hub.On<object>("message", body => bodies.Writer.TryWrite(body));
        _ = await hub.InvokeAsync<object>("Subscribe", "q", new { from = "earliest", format = "raw" }).WithTimeout();

        Assert.Equal(Bytes, await bodies.Reader.ReadAsync().AsTask().WithTimeout());
        Assert.Equal(new object[] { (byte)1 }, await bodies.Reader.ReadAsync().AsTask().WithTimeout());
        var items = new List<object>();
        await foreach (var item in hub.StreamAsync<Dictionary<string, object>>("Consume", "q", new { from = "earliest" }))
        {
            items.Add(item.TryGetValue("event", out var word) ? word : item["body"]);
            if (items.Count == 2)
            {
                break;
            }
        }

        Assert.Equal([Bytes, new object[] { (byte)1 }], items);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Bytes_are_put_taken_leased_and_acknowledged(HttpTransportType transport, bool skipNegotiation)
    {
        await using var hub = await ConnectAsync(transport, skipNegotiation);
        _ = await CallAsync(hub, "Put", "work", Bytes, new { contentType = "image/png", headers = new { tenant = "7" }, key = "k" });
        _ = await CallAsync(hub, "PutMany", "work", new object[] { Bytes, "text", 5 }, null);
        _ = await CallAsync(hub, "Put", "work", new { at = new DateTime(2026, 11, 30, 1, 2, 3, DateTimeKind.Utc), inner = Bytes }, null);

        var first = (Dictionary<object, object>)(await CallAsync(hub, "Take", "work", null))["message"];
        var rest = (object[])(await CallAsync(hub, "Lease", "work", new { count = 10, worker = "w" }))["messages"];
        var leased = rest.Cast<Dictionary<object, object>>().ToList();
        var keys = leased.Select(static one => new { id = (string)one["id"], receipt = (string)one["receipt"] }).ToArray();
        var acked = await CallAsync(hub, "AckMany", "work", keys);

        Assert.Equal(Bytes, first["body"]);
        Assert.Equal("image/png", first["contentType"]);
        Assert.Equal("7", ((Dictionary<object, object>)first["headers"])["tenant"]);
        Assert.Equal("k", first["key"]);
        Assert.Equal([Bytes, "text", (byte)5], leased.Take(3).Select(static one => one["body"]));
        Assert.False(leased[0].ContainsKey("contentType"));
        var last = (Dictionary<object, object>)leased[3]["body"];
        Assert.Equal("2026-11-30T01:02:03.0000000Z", last["at"]);
        Assert.Equal(Convert.ToBase64String(Bytes), last["inner"]);
        Assert.Equal(4, ((object[])acked["results"]).Length);
        Assert.Equal("0", (await _server.GetAsync("/j/work")).Json.GetProperty("leased").ToString());
    }

    /// <summary>Every wrong argument has the sentence that a client of the JSON protocol gets.</summary>
    [Fact]
    public async Task Wrong_arguments_get_the_error_that_they_get_in_json()
    {
        _server.Log.ExpectError("Failed to invoke hub method"); // SignalR's own entry, which the host switches off
        await using var packed = await ConnectAsync(HttpTransportType.WebSockets, skipNegotiation: true);
        await using var json = await ConnectAsync(HttpTransportType.WebSockets, skipNegotiation: true, packed: false);
        var calls = new (string Method, object?[] Arguments)[]
        {
            ("Put", ["q", 1, new { delai = 5 }]), ("Put", ["q", 1, new { delay = "soon" }]), ("Put", ["q", 1, 7]), ("Put", ["", 1, null]),
            ("Put", ["q", 1, new { headers = new { tenant = new[] { 1 } } }]), ("Put", [7, 1, null]), ("Put", ["q"]), ("Put", []),
            ("PutMany", ["q", 1, null]), ("PutMany", ["q", new[] { 1 }, new { id = "x" }]), ("Take", ["q", new { wait = -1 }]),
            ("Lease", ["q", new { ttr = "1y" }]), ("Ack", ["q", "1", "none"]), ("Ack", ["q", new[] { 1 }, "none"]), ("Ack", ["q", "1"]),
            ("AckMany", ["q", new[] { new { id = "1" } }]), ("Release", ["q", "1", "x", new { delay = new[] { 1 } }]),
            ("Touch", ["q", "1", 5, new { ttr = 0 }]), ("Subscribe", ["q", new { ack = "never" }]), ("Subscribe", [new[] { 1, 2 }, null]),
            ("Subscribe", [null, null]), ("Subscribe", ["q", new { from = "x.y.z" }]), ("Unsubscribe", ["q", new { started = 1 }]),
            ("Purge", [null]), ("Nothing", [1]), ("WatchQueues", [new { sort = "colour" }]), ("Put", ["q", 1, new { queue = "other" }]),
        };
        foreach (var (method, arguments) in calls)
        {
            var expected = await Assert.ThrowsAsync<HubException>(() => json.InvokeCoreAsync<object>(method, arguments).WithTimeout());
            var found = await Assert.ThrowsAsync<HubException>(() => packed.InvokeCoreAsync<object>(method, arguments).WithTimeout());

            Assert.Equal(expected.Message, found.Message);
        }

        Assert.Equal(HubConnectionState.Connected, packed.State);
    }

    /// <summary>SignalR's own formatters take public types only, and name fields as C# does.</summary>
    [Fact]
    public void Every_argument_and_answer_of_the_hub_has_a_form_in_MessagePack()
    {
        var resolver = PackedFormatters.Options(StandardResolver.Instance).Resolver;
        var methods = typeof(PushHub).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(static method => !method.IsSpecialName).ToList();
        var types = methods.SelectMany(static method => method.GetParameters().Select(static parameter => parameter.ParameterType))
            .Concat(methods.Select(static method => method.ReturnType))
            .Select(Inner)
            .Where(static type => type != typeof(CancellationToken) && type != typeof(string) && type != typeof(bool))
            .Distinct().ToList();

        Assert.True(types.Count > 5, $"{types.Count} types");
        Assert.All(types, type =>
        {
            var formatter = typeof(IFormatterResolver).GetMethod(nameof(IFormatterResolver.GetFormatter))!.MakeGenericMethod(type)
                .Invoke(resolver, null);
            Assert.Same(typeof(PushHub).Assembly, formatter?.GetType().Assembly);
        });

        static Type Inner(Type type) => Nullable.GetUnderlyingType(type)
            ?? (type.IsGenericType && type.GetGenericTypeDefinition() is var open
                && (open == typeof(Task<>) || open == typeof(IAsyncEnumerable<>) || open == typeof(ChannelReader<>))
                ? Inner(type.GetGenericArguments()[0])
                : type);
    }

    [Fact]
    public async Task Subscribers_of_one_protocol_share_the_form_of_their_pages()
    {
        await using var json = await ConnectAsync(HttpTransportType.WebSockets, skipNegotiation: false, packed: false);
        await using var one = await ConnectAsync(HttpTransportType.WebSockets, skipNegotiation: false);
        await using var two = await ConnectAsync(HttpTransportType.WebSockets, skipNegotiation: false);
        var clients = _server.Services.GetRequiredService<PushLifetimeManager>();

        // Pages are encoded once per form; see Dispatcher.
        Assert.Same(clients.Find(one.ConnectionId!)!.Forms, clients.Find(two.ConnectionId!)!.Forms);
        Assert.NotSame(clients.Find(one.ConnectionId!)!.Forms, clients.Find(json.ConnectionId!)!.Forms);
    }

    private static async Task<Dictionary<string, object>> CallAsync(HubConnection hub, string method, params object?[] arguments) =>
        await hub.InvokeCoreAsync<Dictionary<string, object>>(method, arguments).WithTimeout();

    private async Task PutAsync(byte[] body, string type)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new(type);
        using var answer = await _server.Client.PostAsync("/q/q", content).WithTimeout();
        _ = answer.EnsureSuccessStatusCode();
    }

    private async Task<HubConnection> ConnectAsync(HttpTransportType transport, bool skipNegotiation, bool packed = true)
    {
        var builder = new HubConnectionBuilder().WithUrl(
            new Uri(_server.Address, "/hub"), transport, options => options.SkipNegotiation = skipNegotiation);
        var hub = (packed ? builder.AddMessagePackProtocol() : builder).Build();
        await hub.StartAsync().WithTimeout();
        return hub;
    }
}
