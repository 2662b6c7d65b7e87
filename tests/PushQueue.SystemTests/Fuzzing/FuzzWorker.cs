using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>One client that does something else with each connection. Its random numbers follow from the seed of the run alone.</summary>
internal sealed class FuzzWorker
{
    private const string Handshake = "{\"protocol\":\"json\",\"version\":1}\u001e";

    private static readonly string[] OddHandshakes = ["{\"protocol\":\"messagepack\",\"version\":1}\u001e", "{}\u001e", "\u001e", "x"];

    private readonly FuzzTarget _target;
    private readonly FuzzAnswers _answers;
    private readonly FuzzValues _values;
    private readonly FuzzBodies _bodies;
    private readonly FuzzHttp _http;
    private readonly FuzzFrames _frames;
    private readonly FuzzFindings _findings;

    public FuzzWorker(int seed, FuzzTarget target, FuzzAnswers answers, FuzzMemory memory, FuzzFindings findings)
    {
        _findings = findings;
        _target = target;
        _answers = answers;
        _values = new FuzzValues(new Random(seed), target.Tables, memory);
        _bodies = new FuzzBodies(_values);
        _http = new FuzzHttp(_values, _bodies, target.Keys);
        _frames = new FuzzFrames(_values);
    }

    /// <summary>The last sends of this worker.</summary>
    public FuzzTrace Trace { get; } = new();

    private Random Random => _values.Random;

    /// <summary>Opens one connection, uses it and leaves.</summary>
    public async Task WorkAsync()
    {
        _values.Oddity = _values.Pick([0, 0, 0.3, 1, 1, 2]);
        try
        {
            await (Random.Next(100) switch
            {
                < 20 when _target.IsTls => Http2Async(),
                < 60 => RequestsAsync(),
                < 75 => WebSocketAsync(),
                < 88 => HubSocketAsync(),
                < 92 => HubRequestsAsync(),
                < 95 => SyslogAsync(),
                < 98 => StreamAsync(),
                _ => NoiseAsync(),
            });
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException or AuthenticationException)
        {
            _findings.Add("The server takes no connection", e.Message, Trace);
        }
    }

    /// <summary>Requests over one connection, one after the other or several at once.</summary>
    private async Task RequestsAsync()
    {
        var route = _values.Pick(_target.Tables.Routes);
        var (port, prefix) = _target.PortFor(route, Random);
        using var socket = new FuzzSocket(Random, Trace);
        await socket.ConnectAsync(port, _target.Tls);
        for (var rounds = Random.Next(1, 8); rounds > 0; rounds--)
        {
            var count = _values.Chance(90) ? 1 : Random.Next(2, 5);
            var bytes = Enumerable.Range(0, count).SelectMany(_ => _http.Request(route, prefix)).ToArray();
            if (!await socket.SendAsync(bytes) || await _answers.ReadAsync(socket, count, Random.Next(20, 250)) == 0)
            {
                // The server ended the connection.
                return;
            }

            if (prefix.Length == 0)
            {
                route = _values.Pick(_target.Tables.Routes);
            }
        }
    }

    /// <summary>Requests and sockets of one HTTP/2 connection, of which nobody waits for the other.</summary>
    private async Task Http2Async()
    {
        using var socket = new FuzzSocket(Random, Trace);
        await socket.ConnectAsync(_target.Port, SslApplicationProtocol.Http2);
        var bytes = FuzzHttp2.Preface;
        for (var stream = 1; stream < 2 * Random.Next(2, 12); stream += 2)
        {
            var route = _values.Pick(_target.Tables.Routes);
            bytes = [.. bytes, .. _values.Chance(25) ? Socket2(stream) : FuzzHttp2.Request(stream, _http.Request(route))];
            if (!await socket.SendAsync(_values.Odd(5) ? _bodies.Mutate(bytes) : bytes)
                || !await _answers.ReadFramesAsync(socket, Random.Next(5, 60)))
            {
                return;
            }

            bytes = [];
        }
    }

    private byte[] Socket2(int stream)
    {
        var target = _http.Target(_values.Pick(_target.Tables.Routes.Where(route => _values.Odd(10)
            || route.Pattern.Contains("/ws", StringComparison.Ordinal) || route.Pattern == "/hub").ToList()), "GET");
        var sent = target.Contains("/hub", StringComparison.Ordinal) ? Handshake + _bodies.HubRecords() : _bodies.Command();
        var fields = _http.HostFields().Split("\r\n").Where(static line => line.StartsWith("Authorization: ", StringComparison.Ordinal))
            .Select(static line => ("authorization", line[15..]));
        return FuzzHttp2.Socket(
            stream,
            _values.Odd(5) ? _values.Text() : "websocket",
            target,
            _values.Odd(10) ? "12" : "13",
            fields,
            _frames.Message(FuzzBodies.Bytes(sent)));
    }

    private async Task WebSocketAsync()
    {
        var sockets = _target.Tables.Routes.Where(route => route.Pattern.Contains("/ws", StringComparison.Ordinal)).ToList();
        var route = _values.Pick(sockets);
        using var socket = await UpgradeAsync(_http.Target(route, "GET"));
        for (var frames = Random.Next(1, 12); frames > 0; frames--)
        {
            var command = FuzzBodies.Bytes(_bodies.Command());
            var frame = _values.Odd(10) ? _frames.Control() : _frames.Message(!_values.Odd(10) ? command : _bodies.Mutate(command));
            if (!await socket.SendAsync(!_values.Odd(2) ? frame : _bodies.Mutate(frame)))
            {
                return;
            }

            await LearnAsync(socket);
        }
    }

    private async Task HubSocketAsync()
    {
        using var socket = await UpgradeAsync("/hub");
        var first = _values.Odd(5) ? _values.Pick(OddHandshakes) : Handshake;
        if (!await socket.SendAsync(_frames.Message(FuzzBodies.Bytes(first))))
        {
            return;
        }

        for (var frames = Random.Next(1, 12); frames > 0; frames--)
        {
            var records = FuzzBodies.Bytes(_bodies.HubRecords());
            var frame = _frames.Message(!_values.Odd(8) ? records : _bodies.Mutate(records));
            if (!await socket.SendAsync(frame))
            {
                return;
            }

            await LearnAsync(socket);
        }
    }

    /// <summary>SignalR over its other transports: negotiation, then polls or an event stream, and sends.</summary>
    private async Task HubRequestsAsync()
    {
        using var sending = new FuzzSocket(Random, Trace);
        var host = _http.HostFields();
        await sending.ConnectAsync(_target.Port, _target.Tls);
        await sending.SendAsync(
            FuzzBodies.Bytes($"POST /hub/negotiate?negotiateVersion=1 HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n"));
        if (await sending.ReceiveAsync(5000) is not { Length: > 0 } negotiated)
        {
            return;
        }

        var text = Encoding.Latin1.GetString(negotiated);
        var at = text.IndexOf("\"connectionToken\":\"", StringComparison.Ordinal);
        if (at < 0)
        {
            return;
        }

        var token = text[(at + 19)..].Split('"')[0];
        using var reading = new FuzzSocket(Random, Trace);
        await reading.ConnectAsync(_target.Port, _target.Tls);
        var accept = _values.Chance(50) ? "text/event-stream" : "*/*";
        var poll = FuzzBodies.Bytes($"GET /hub?id={token} HTTP/1.1\r\n{host}Accept: {accept}\r\n\r\n");
        await reading.SendAsync(poll);
        var records = _values.Odd(5) ? _values.Pick(OddHandshakes) : Handshake;
        for (var sends = Random.Next(1, 6); sends > 0; sends--, records = _bodies.HubRecords())
        {
            var body = FuzzBodies.Bytes(records);
            var head = $"POST /hub?id={token} HTTP/1.1\r\n{host}Content-Type: text/plain\r\nContent-Length: "
                + $"{body.Length}\r\n\r\n";
            if (!await sending.SendAsync([.. FuzzBodies.Bytes(head), .. body]))
            {
                return;
            }

            await _answers.ReadAsync(sending, 1, 100);
            await _answers.ReadAsync(reading, 1, 20);
            if (accept == "*/*" && _values.Chance(50))
            {
                await reading.SendAsync(poll);
            }
        }

        // Without this the server keeps the connection for a while, in case that the client polls again.
        await sending.SendAsync(FuzzBodies.Bytes($"DELETE /hub?id={token} HTTP/1.1\r\n{host}\r\n"));
        await _answers.ReadAsync(sending, 1, 500);
    }

    /// <summary>A stream of a queue that gets messages meanwhile: read, not read, and left.</summary>
    private async Task StreamAsync()
    {
        var streams = _target.Tables.Routes.Where(route => route.Segments is [.., "c" or "sse", _]).ToList();
        using var socket = new FuzzSocket(Random, Trace);
        await socket.ConnectAsync(_target.Port, _target.Tls);
        await socket.SendAsync(FuzzBodies.Bytes(
            $"GET {_http.Target(_values.Pick(streams), "GET")} HTTP/1.1\r\n{_http.HostFields()}\r\n"));
        for (var rounds = Random.Next(1, 5); rounds > 0; rounds--)
        {
            await RequestsAsync();
            await _answers.ReadAsync(socket, 1, 20);
        }
    }

    private async Task SyslogAsync()
    {
        using var socket = new FuzzSocket(Random, Trace);
        await socket.ConnectAsync(_target.SyslogPort);
        var line = FuzzBodies.Bytes(
            $"<{(_values.Chance(80) ? Random.Next(192) : Random.Next(2000))}>Oct 11 22:14:15 host su: {_values.Text()}\n");
        await socket.SendAsync(_values.Chance(70) ? line : _bodies.Mutate(line));
        await socket.ReceiveAsync(5);
    }

    private async Task NoiseAsync()
    {
        using var socket = new FuzzSocket(Random, Trace);
        await socket.ConnectAsync(_target.AnyPort(Random), _target.Tls);
        var noise = new byte[Random.Next(1, 3000)];
        Random.NextBytes(noise);
        if (_values.Chance(30))
        {
            noise = FuzzBodies.Bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        }

        await socket.SendAsync(noise);
        await _answers.ReadAsync(socket, 1, 50);
    }

    private async Task<FuzzSocket> UpgradeAsync(string target)
    {
        var socket = new FuzzSocket(Random, Trace);
        try
        {
            await socket.ConnectAsync(_target.Port, _target.Tls);
            await socket.SendAsync(_frames.Handshake(target, _http.HostFields()));
            await _answers.ReadAsync(socket, 1, 500);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task LearnAsync(FuzzSocket socket)
    {
        if (await socket.ReceiveAsync(Random.Next(2, 40)) is { Length: > 0 } bytes)
        {
            _values.Memory.Learn(Encoding.Latin1.GetString(bytes));
        }
    }
}
