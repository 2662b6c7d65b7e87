using System.Net.Sockets;
using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

public sealed class SyslogTests : IAsyncLifetime
{
    private readonly TestTimeProvider _time = new();
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync(null, _time, "syslog");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Each_line_is_a_message_of_its_senders_queue()
    {
        await SendAsync(
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed\n\n<165>1 2003-08-24T05:14:15Z ü\r\nno priority\n<999>no\nlast without an "
                + "end");

        var lines = await TakeAsync(5);

        Assert.Equal("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", lines[0].GetProperty("line").GetString());
        Assert.Equal(
            ("127.0.0.1", 4, 2),
            (
                lines[0].GetProperty("host").GetString(),
                lines[0].GetProperty("facility").GetInt32(),
                lines[0].GetProperty("severity").GetInt32()));
        Assert.Equal(_time.GetUtcNow().ToUnixTimeSeconds(), lines[0].GetProperty("tstamp").GetInt64());
        Assert.Equal(
            ("<165>1 2003-08-24T05:14:15Z ü", 20, 5),
            (
                lines[1].GetProperty("line").GetString(),
                lines[1].GetProperty("facility").GetInt32(),
                lines[1].GetProperty("severity").GetInt32()));
        Assert.Equal("null", lines[2].GetProperty("facility").GetRawText());
        Assert.Equal("null", lines[3].GetProperty("severity").GetRawText());
        Assert.Equal("last without an end", lines[4].GetProperty("line").GetString());
    }

    [Fact]
    public async Task Lines_wait_while_their_queue_is_full()
    {
        await _server.SendAsync("PATCH", "/q/syslogd:127.0.0.1/settings", "{\"maxMessages\":1}", "application/json");
        await SendAsync("<13>first\n");
        Assert.Equal("<13>first", (await TakeAsync(1, leave: true))[0].GetProperty("line").GetString());
        await SendAsync("<13>second\n");
        await Eventually.TrueAsync(
            () => _server.Log.Entries.Any(entry => entry.Text.Contains("wait", StringComparison.Ordinal)),
            "the line waits");

        Assert.Equal("<13>first", (await TakeAsync(1))[0].GetProperty("line").GetString());

        await Eventually.TrueAsync(
            async () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return (await _server.GetAsync("/q/syslogd:127.0.0.1")).Text.Contains("<13>second", StringComparison.Ordinal);
            },
            "the second line comes");
    }

    [Fact]
    public async Task A_line_without_end_closes_its_connection_and_no_other()
    {
        using var other = await ConnectAsync();
        using var endless = await ConnectAsync();
        var line = Encoding.ASCII.GetBytes("<13>before\n" + new string('x', 70_000));

        await endless.GetStream().WriteAsync(line);

        Assert.True(await EndsAsync(endless));
        Assert.Equal("<13>before", (await TakeAsync(1))[0].GetProperty("line").GetString());
        await other.GetStream().WriteAsync("<13>fine\n"u8.ToArray());
        Assert.Equal("<13>fine", (await TakeAsync(1))[0].GetProperty("line").GetString());
    }

    [Fact]
    public async Task More_lines_at_once_than_a_batch_may_hold_come_in_several()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Queues.BatchMessagesMax = 2, _time, "syslog");
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(server.PortOf("syslog").Host, server.PortOf("syslog").Port).WithTimeout();
            await client.GetStream().WriteAsync("<13>1\n<13>2\n<13>3\n<13>4\n<13>5\n"u8.ToArray());
        }

        await Eventually.TrueAsync(
            async () =>
                (await server.GetAsync("/j/syslogd:127.0.0.1")) is { Status: 200 } answer
                    && answer.Json.GetProperty("ready").GetInt64() == 5, "all come");
    }

    private static async Task<bool> EndsAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1]).AsTask().WithTimeout() == 0;
        }
        catch (IOException)
        {
            // Closed with unread bytes: the end comes as a reset.
            return true;
        }
    }

    private async Task SendAsync(string text)
    {
        using var client = await ConnectAsync();
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text));
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var port = _server.PortOf("syslog");
        var client = new TcpClient();
        await client.ConnectAsync(port.Host, port.Port).WithTimeout();
        return client;
    }

    private async Task<List<System.Text.Json.JsonElement>> TakeAsync(int count, bool leave = false)
    {
        var lines = new List<System.Text.Json.JsonElement>();
        await Eventually.TrueAsync(
            async () =>
            {
                var answer = await _server.GetAsync("/q/syslogd:127.0.0.1" + (leave ? "/messages" : ""));
                if (answer.Status == 200 && leave)
                {
                    lines.AddRange(answer.Json.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("body")));
                }
                else if (answer.Status == 200)
                {
                    Assert.Equal("application/json", answer.ContentType);
                    lines.Add(answer.Json);
                }

                return lines.Count == count;
            },
            $"{count} lines come");
        return lines;
    }
}
