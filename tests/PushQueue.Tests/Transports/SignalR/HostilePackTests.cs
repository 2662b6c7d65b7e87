using System.Net.WebSockets;
using System.Text;
using MessagePack;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.SignalR;

/// <summary>Broken and hostile MessagePack: a sentence for the call or for the connection, and the server goes on.</summary>
public sealed class HostilePackTests : IAsyncLifetime
{
    /// <summary>The beginning of a call, before its arguments.</summary>
    private static readonly byte[] Put = [0x95, 1, 0x80, 0xC0, 0xA3, .. "Put"u8];

    private static readonly byte[] Deep = [.. Enumerable.Repeat((byte)0x91, 900_000)];

    private PushQueueServer _server = null!;

    public static TheoryData<string, byte[], string> Arguments => new()
    {
        { "deep", [.. Enumerable.Repeat((byte)0x91, 513), 0xC0], "nested more than 512 levels deep" },
        { "deep map", [.. Enumerable.Repeat(new byte[] { 0x81, 0xA0 }, 513).SelectMany(static part => part), 0xC0], "more than 512 levels" },
        { "extension", [0xD4, 5, 0], "extension of type 5" },
        { "long extension", [0xC7, 3, 0x80, 1, 2, 3], "extension of type -128" },
        { "timestamp of a wrong length", [0xC7, 3, 0xFF, 1, 2, 3], "4, 8 or 12 bytes" },
        { "timestamp of a far year", [0xC7, 12, 0xFF, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "years 1 and 9999" },
        { "not a number", [0xCB, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0], "not finite" },
        { "infinite", [0xCA, 0x7F, 0x80, 0, 0], "not finite" },
        { "invalid UTF-8", [0xA1, 0xFF], "not valid UTF-8" },
        { "invalid UTF-8 in a key", [0x81, 0xA1, 0xFF, 1], "not valid UTF-8" },
        { "a list as a key", [0x81, 0x90, 1], "neither a string nor a whole number" },
        { "bytes as a key", [0x81, 0xC4, 0, 1], "neither a string nor a whole number" },
    };

    /// <summary>Records, with their lengths before them, that no server can go on after.</summary>
    public static TheoryData<string, byte[]> Records => new()
    {
        { "nested without an end", PackedHubSocket.WithLength([.. Put, .. Deep]) },
        { "nested deeply in a result", PackedHubSocket.WithLength(
            [0x95, 3, 0x80, 0xA1, (byte)'1', 3, .. Deep, 0xC0]) },
        { "a list of 4 billion", PackedHubSocket.WithLength([.. Put, 0xDD, 0xFF, 0xFF, 0xFF, 0xFF]) },
        { "a map of 4 billion as headers", PackedHubSocket.WithLength([0x95, 1, 0xDF, 0xFF, 0xFF, 0xFF, 0xFF]) },
        { "a string of 4 GB", PackedHubSocket.WithLength([0x95, 1, 0x80, 0xC0, 0xDB, 0xFF, 0xFF, 0xFF, 0xFF, 0x61]) },
        { "bytes of 4 GB", PackedHubSocket.WithLength([.. Put, 0x92, 0xA1, 0x61, 0xC6, 0xFF, 0xFF, 0xFF, 0xFF]) },
        { "an extension of 4 GB", PackedHubSocket.WithLength([.. Put, 0x92, 0xC9, 0xFF, 0xFF, 0xFF, 0xFF, 1]) },
        { "cut off", PackedHubSocket.WithLength([0x95, 1, 0x80]) },
        { "empty", PackedHubSocket.WithLength([]) },
        { "no list", PackedHubSocket.WithLength([0xA1, 0x61]) },
        { "the byte that stands for nothing", PackedHubSocket.WithLength([0xC1]) },
        { "headers that are no map", PackedHubSocket.WithLength([0x95, 1, 0x90, 0xC0, 0xA3, .. "Put"u8, 0x90]) },
        { "a target that is a number", PackedHubSocket.WithLength([0x95, 1, 0x80, 0xC0, 7, 0x90]) },
        { "a record of 2 GB", [0xFF, 0xFF, 0xFF, 0xFF, 0x07] },
        { "a length without an end", [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] },
    };

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Arguments))]
    public async Task An_argument_that_json_cannot_express_is_refused_and_the_connection_stays(
        string what, byte[] argument, string sentence)
    {
        Assert.NotEmpty(what);
        using var socket = await ConnectAsync(negotiate: false);

        // As the body, within the options, and as the body of several.
        foreach (var arguments in new byte[][]
        {
            [0x93, 0xA1, (byte)'q', .. argument, 0xC0],
            [0x93, 0xA1, (byte)'q', 1, 0x81, 0xA5, .. "delay"u8, .. argument],
        })
        {
            var answer = await AskAsync(socket, "Put", arguments);
            Assert.Contains("bad-json: ", answer, StringComparison.Ordinal);
            Assert.Contains(sentence, answer, StringComparison.Ordinal);
        }

        var many = await AskAsync(socket, "PutMany", [0x93, 0xA1, (byte)'q', 0x91, .. argument, 0xC0]);
        Assert.Contains("bad-json: ", many, StringComparison.Ordinal);
        Assert.Contains("bad-json: ", await AskAsync(socket, "Subscribe", [0x92, .. argument, 0xC0]), StringComparison.Ordinal);
        Assert.Contains("\"id\":\"1\"", await AskAsync(socket, "Put", [0x93, 0xA1, (byte)'q', 1, 0xC0]), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Records))]
    public async Task A_broken_record_ends_the_connection_with_a_sentence_and_the_server_goes_on(string what, byte[] record)
    {
        Assert.NotEmpty(what);
        foreach (var negotiate in new[] { false, true })
        {
            using var socket = await ConnectAsync(negotiate);

            await socket.SendAsync(record, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).WithTimeout();

            var end = await RestAsync(socket);
            Assert.Contains("Connection closed with an error.", end, StringComparison.Ordinal);
        }

        Assert.Equal(200, (await _server.GetAsync("/healthz")).Status);
    }

    [Theory]
    [InlineData("nested without an end", "nested more than 1023 levels deep")]
    [InlineData("cut off", "is cut off, or declares more than was sent")]
    [InlineData("nested deeply in a result", "nested more than 1023 levels deep")]
    [InlineData("a record of 2 GB", "the limit is")]
    [InlineData("a length without an end", "its length takes more than 5 bytes")]
    public async Task The_sentence_says_what_is_wrong(string what, string sentence)
    {
        var record = Records.Single(one => one.Data.Item1 == what).Data.Item2;
        using var socket = await ConnectAsync(negotiate: false);

        await socket.SendAsync(record, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).WithTimeout();

        var end = await RestAsync(socket);
        Assert.Contains("bad-request: A record of the connection cannot be read: ", end, StringComparison.Ordinal);
        Assert.Contains(sentence, end, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Large_keys_and_strings_are_options_like_others()
    {
        _server.Log.ExpectError("Failed to invoke hub method"); // SignalR's own entry, which the host switches off
        using var socket = await ConnectAsync(negotiate: false);
        var large = MessagePackSerializer.Serialize(new string('k', 1_000_000));

        var key = await AskAsync(socket, "Put", [0x93, 0xA1, (byte)'q', 1, 0x81, .. large, 1]);
        var value = await AskAsync(socket, "Put", [0x93, 0xA1, (byte)'q', 1, 0x81, 0xA5, .. "delay"u8, .. large]);
        var target = await AskAsync(socket, new string('t', 10_000), [0x90]);

        Assert.Contains("bad-option: There is no option 'kkk", key, StringComparison.Ordinal);
        Assert.True(key.Length < 2000, $"{key.Length} characters");
        Assert.Contains("bad-option: The option 'delay' is 'kkk", value, StringComparison.Ordinal);
        Assert.Contains("error", target, StringComparison.Ordinal);
    }

    /// <summary>Random changes of a valid record: an answer or the end, never an error of the server.</summary>
    [Fact]
    public async Task Changed_records_never_fail_in_the_server()
    {
        var random = new Random(1);
        var record = PackedHubSocket.Record(
            """{"type":1,"invocationId":"1","target":"Put","arguments":["q",{"a":[1,"x",null]},{"delay":1,"headers":{"a":"b"}}]}""");
        for (var i = 0; i < 300; i++)
        {
            using var socket = await ConnectAsync(negotiate: false);
            var changed = record.ToArray();
            for (var j = random.Next(1, 4); j > 0; j--)
            {
                changed[random.Next(1, changed.Length)] = (byte)random.Next(256);
            }

            await socket.SendAsync(changed, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).WithTimeout();
            await socket.SendAsync(
                PackedHubSocket.Record("""{"type":1,"invocationId":"2","target":"Unsubscribe","arguments":["none"]}"""),
                WebSocketMessageType.Binary,
                endOfMessage: true,
                CancellationToken.None).WithTimeout();
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WithTimeout();

            Assert.DoesNotContain("internal-error", await RestAsync(socket), StringComparison.Ordinal);
        }

        Assert.Equal(200, (await _server.GetAsync("/healthz")).Status);
    }

    /// <summary>Calls a method with arguments in MessagePack, and returns the answer as JSON.</summary>
    private static async Task<string> AskAsync(ClientWebSocket socket, string method, byte[] arguments)
    {
        byte[] record = [0x95, 1, 0x80, 0xA1, (byte)'1', .. MessagePackSerializer.Serialize(method), .. arguments];
        await socket.SendAsync(
            PackedHubSocket.WithLength(record), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).WithTimeout();
        while (true)
        {
            var frame = await FrameAsync(socket);
            Assert.NotNull(frame);
            var at = Array.FindIndex(frame, static part => part < 0x80) + 1;
            var json = MessagePackSerializer.ConvertToJson(frame.AsMemory(at));
            if (json.StartsWith("[3,", StringComparison.Ordinal))
            {
                return json;
            }
        }
    }

    /// <summary>All that comes until the end, as text.</summary>
    private static async Task<string> RestAsync(ClientWebSocket socket)
    {
        var text = new StringBuilder();
        while (await FrameAsync(socket) is { } frame)
        {
            _ = text.Append(Encoding.Latin1.GetString(frame));
        }

        return text.ToString();
    }

    /// <summary>Null at the end.</summary>
    private static async Task<byte[]?> FrameAsync(ClientWebSocket socket)
    {
        var frame = new List<byte>();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var result = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().WithTimeout();
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            frame.AddRange(buffer.AsSpan(0, result.Count));
            if (result.EndOfMessage)
            {
                return [.. frame];
            }
        }
    }

    private async Task<ClientWebSocket> ConnectAsync(bool negotiate)
    {
        var path = "/hub";
        if (negotiate)
        {
            var answer = await _server.PostAsync("/hub/negotiate?negotiateVersion=1", "");
            path += $"?id={answer.Json.GetProperty("connectionToken").GetString()}";
        }

        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
        await socket.SendAsync(
            Encoding.UTF8.GetBytes("{\"protocol\":\"messagepack\",\"version\":1}\u001e"),
            WebSocketMessageType.Binary,
            endOfMessage: true,
            CancellationToken.None).WithTimeout();
        Assert.Equal("{}\u001e", Encoding.UTF8.GetString((await FrameAsync(socket))!));
        return socket;
    }
}
