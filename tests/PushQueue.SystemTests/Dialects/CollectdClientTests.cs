using System.Text.Json;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Dialects;

/// <summary>A real collectd: its write_http plugin in both formats, and a notification by its exec plugin.</summary>
public sealed class CollectdClientTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _data = new();
    private ServerProcess _server = null!;

    /// <summary>Debian keeps it where only root looks.</summary>
    private static string Collectd => File.Exists("/usr/sbin/collectd") ? "/usr/sbin/collectd" : "collectd";

    public async ValueTask InitializeAsync() =>
        _server = await ServerProcess.StartAsync(Path.Combine(_data.Path, "queues"), "--restmq-port", "0");

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _data.Dispose();
    }

    [Theory]
    [InlineData("Command")]
    [InlineData("JSON")]
    public async Task Write_http_puts_a_message_for_each_of_its_requests(string format)
    {
        using var collectd = await StartAsync(
            $"""
            LoadPlugin write_http
            <Plugin write_http>
              <Node "pushqueue">
                URL "{new Uri(_server.AddressOf("restmq"), "/collectd/data")}"
                Format "{format}"
                BufferSize 1024
              </Node>
            </Plugin>
            """);
        try
        {
            var values = await TakeAsync("collectd_data");

            Assert.True(values.GetArrayLength() > 1);
            foreach (var value in values.EnumerateArray())
            {
                Assert.Equal("myhost", value.GetProperty("host").GetString());
                if (format == "JSON")
                {
                    Assert.Equal(("load", 3), (value.GetProperty("plugin").GetString(), value.GetProperty("values").GetArrayLength()));
                    continue;
                }

                Assert.Equal(
                    ["host", "plugin_instance", "type_instance", "interval", "value"],
                    value.EnumerateObject().Select(field => field.Name));
                Assert.Equal(
                    ("load", "load"),
                    (value.GetProperty("plugin_instance").GetString(), value.GetProperty("type_instance").GetString()));
                Assert.Equal(3, value.GetProperty("value").GetString()!.Split(':').Length);
            }
        }
        finally
        {
            await StopAsync(collectd);
        }
    }

    [Fact]
    public async Task A_notification_is_put_as_an_array_of_its_headers_and_its_text()
    {
        await ToolProcess.SkipWithoutAsync("curl");

        // collectd runs no program as root.
        var user = Environment.UserName == "root" ? "nobody" : Environment.UserName;
        var events = new Uri(_server.AddressOf("restmq"), "/collectd/event");
        using var collectd = await StartAsync(
            $"""
            LoadPlugin exec
            LoadPlugin threshold
            <Plugin exec>
              NotificationExec "{user}" "/usr/bin/curl" "-s" "-H" "Content-Type: text/plain" "--data-binary" "@-" "{events}"
            </Plugin>
            <Plugin threshold>
              <Type "load">
                WarningMin 1000000
              </Type>
            </Plugin>
            """);
        try
        {
            var fields = (await TakeAsync("collectd_event"))
                .EnumerateArray()
                .Select(field => Assert.Single(field.EnumerateObject()))
                .ToList();

            Assert.Equal("severity", fields[0].Name);
            Assert.Equal("WARNING", fields[0].Value.GetString());
            Assert.Equal("myhost", fields.Single(field => field.Name == "host").Value.GetString());
            Assert.Equal("event_text", fields[^1].Name);
            Assert.StartsWith("Host myhost, plugin load", fields[^1].Value.GetString(), StringComparison.Ordinal);
        }
        finally
        {
            await StopAsync(collectd);
        }
    }

    private async Task<System.Diagnostics.Process> StartAsync(string plugins)
    {
        var file = Path.Combine(_data.Path, "collectd.conf");
        await File.WriteAllTextAsync(
            file,
            $"""
            Hostname "myhost"
            FQDNLookup false
            BaseDir "{_data.Path}"
            PIDFile "{Path.Combine(_data.Path, "collectd.pid")}"
            Interval 0.1
            LoadPlugin load
            {plugins}

            """);
        await ToolProcess.SkipWithoutAsync(Collectd, "-t", "-C", file);
        return ToolProcess.Start(_data.Path, Collectd, "-f", "-C", file);
    }

    private static async Task StopAsync(System.Diagnostics.Process collectd)
    {
        collectd.Kill(entireProcessTree: true);
        await collectd.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async Task<JsonElement> TakeAsync(string queue)
    {
        using var answer = await _server.Client.GetAsync($"q/{queue}?wait=50");
        Assert.Equal((200, "application/json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType!.ToString()));
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return json.RootElement.Clone();
    }
}
