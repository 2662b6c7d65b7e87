using Xunit;

namespace PushQueue.Tests.Dialects;

public abstract partial class RestMqContract
{
    [Fact]
    public async Task Values_of_collectd_become_one_message()
    {
        var text = "PUTVAL myhost/cpu-0/cpu-idle interval=10.000 1251533299.265:1.4\r\n"
            + "PUTVAL \"my host/df/df-root\" interval=\"10\" meta:a=b N:1e3:U\n\n";

        Assert.Equal((200, "text/plain", "collectd_data:1\r\n"), Whole(await PostAsync("/collectd/data", text, "text/plain")));

        Assert.Equal(
            "[{\"host\":\"myhost\",\"plugin_instance\":\"cpu-0\",\"type_instance\":\"cpu-idle\",\"interval\":\"10.000\",\"value\":\"1.4\"},"
                + "{\"host\":\"my host\",\"plugin_instance\":\"df\",\"type_instance\":\"df-root\",\"interval\":\"10\",\"value\":\"1e3:U\"}]",
            (await _server.GetAsync("/q/collectd_data")).Text);
        Assert.Equal(204, (await GetAsync("/q/collectd_data")).Status);
    }

    [Fact]
    public async Task JSON_of_collectd_is_put_as_it_is()
    {
        const string Json = "[ {\"values\":[1901474177],\"dstypes\":[\"counter\"],\"host\":\"leeloo\"} ]";

        Assert.Equal(200, (await PostAsync("/collectd/data", Json, "application/json")).Status);

        Assert.Equal(Json, (await GetAsync("/q/collectd_data")).Json.GetProperty("value").GetString());
    }

    [Fact]
    public async Task A_notification_of_collectd_becomes_an_array_with_its_text_last()
    {
        var text = "Severity: FAILURE\nTime: 1200928930.515\nHost: my.host\nPlugin: cpu\n\nIt \"burns\".\nReally.\n";

        Assert.Equal((200, "text/plain", "collectd_event:1\r\n"), Whole(await PostAsync("/collectd/event", text, "text/plain")));

        Assert.Equal(
            "[{\"severity\":\"FAILURE\"},{\"time\":\"1200928930.515\"},{\"host\":\"my.host\"},{\"plugin\":\"cpu\"},{\"event_text\":\"It \\\"burns\\\".\\nReally.\"}]",
            (await _server.GetAsync("/q/collectd_event")).Text);
    }

    [Theory]
    [InlineData("/collectd/data", "PUTVAL a/b/c interval=10 1:2\nPUTVAL a/b interval=10 1:2", "text/plain")]
    [InlineData("/collectd/data", "", "text/plain")]
    [InlineData("/collectd/data", "GETVAL a/b/c", "text/plain")]
    [InlineData("/collectd/data", "PUTVAL a/b/c 1:2", "text/plain")]
    [InlineData("/collectd/data", "PUTVAL my host/b/c interval=10 1:2", "text/plain")]
    [InlineData("/collectd/data", "[{\"values\":[1,]}]", "application/json")]
    [InlineData("/collectd/data", "PUTVAL a/b/c interval=10 1:2", "application/json")]
    [InlineData("/collectd/event", "", "text/plain")]
    [InlineData("/collectd/event", "\nonly a text", "text/plain")]
    [InlineData("/collectd/event", "Severity: OKAY\nno header\n\ntext", "text/plain")]
    public async Task What_collectd_would_not_send_is_refused_and_stores_nothing(string path, string body, string contentType)
    {
        var answer = await PostAsync(path, body, contentType);

        Assert.Equal((400, "text/plain"), (answer.Status, answer.ContentType));
        Assert.Equal(0, (await GetAsync("/stats/")).Json.GetProperty("count").GetInt32());
    }
}
