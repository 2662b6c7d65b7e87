using System.Text.Json;
using Xunit;

namespace PushQueue.Tests.Dialects;

public abstract partial class RestMqContract
{
    [Fact]
    public async Task The_policy_is_unknown_until_it_is_set()
    {
        Assert.Equal((200, "application/json", "{\"queue\":\"test\",\"value\":\"unknown\"}\r\n"), Whole(await GetAsync("/p/test")));
        await PutAsync("test", "a");
        Assert.Equal("{\"queue\":\"test\",\"value\":\"unknown\"}\r\n", (await GetAsync("/p/test")).Text);

        foreach (var policy in (string[])["roundrobin", "broadcast"])
        {
            Assert.Equal((200, "application/json", "\"OK\"\r\n"), Whole(await PostAsync("/p/test", $"policy={policy}")));
            Assert.Equal($"{{\"queue\":\"test\",\"value\":\"{policy}\"}}\r\n", (await GetAsync("/p/test")).Text);
        }

        Assert.Equal("broadcast", (await _server.GetAsync("/p/test")).Json.GetProperty("policy").GetString());
    }

    [Fact]
    public async Task An_unknown_policy_changes_nothing_and_gives_null()
    {
        await PostAsync("/p/test", "policy=roundrobin");

        Assert.Equal((200, "application/json", "null\r\n"), Whole(await PostAsync("/p/test", "policy=random")));
        Assert.Equal(
            (400, "text/plain"), (await PostAsync("/p/test", "")) is var missing ? (missing.Status, missing.ContentType) : default);
        Assert.Equal("roundrobin", (await GetAsync("/p/test")).Json.GetProperty("value").GetString());
    }

    [Fact]
    public async Task Control_tells_and_sets_whether_a_queue_is_started()
    {
        await PutAsync("test", "a");
        Assert.Equal("{\"queue\":\"test\",\"status\":1}", (await GetAsync("/control/test")).Json.GetProperty("status").GetRawText());

        Assert.Equal(
            (200, "application/json", "{\"stat\":{\"queue\":\"test\",\"status\":0}}\r\n"),
                Whole(await PostAsync("/control/test", "status=stop")));

        var one = (await GetAsync("/control/test")).Json;
        Assert.Equal(("test", 0), (one.GetProperty("queue").GetString(), one.GetProperty("status").GetProperty("status").GetInt32()));
        Assert.NotEmpty(one.GetProperty("redis").GetString()!);
        Assert.Equal(["queue", "redis", "status"], NamesOf(one));
        var all = (await GetAsync("/control/")).Json;
        Assert.Equal(["count", "queues", "redis"], NamesOf(all));
        Assert.Equal("{\"queue\":\"test\",\"status\":0}", all.GetProperty("queues").GetProperty("test").GetRawText());
        Assert.Equal(1, all.GetProperty("count").GetInt32());
        Assert.Contains(all.GetProperty("redis").GetString(), (string[])["embedded log", "Redis"]);
        Assert.Equal("{\"stat\":{\"queue\":\"test\",\"status\":1}}\r\n", (await PostAsync("/control/test", "status=start")).Text);
    }

    [Fact]
    public async Task A_status_that_is_none_changes_nothing()
    {
        await PostAsync("/control/test", "status=stop");

        Assert.Equal(
            (200, "application/json", "{\"stat\":\"invalid status: pause\"}\r\n"), Whole(await PostAsync("/control/test", "status=pause")));
        Assert.Equal(400, (await PostAsync("/control/test", "")).Status);
        Assert.Equal(400, (await PostAsync("/control/test", "status=start&status=stop")).Status);
        Assert.Equal(0, (await GetAsync("/control/test")).Json.GetProperty("status").GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Statistics_tell_length_status_and_policy()
    {
        await PutAsync("plain", "a", "b", "c");
        await PostAsync("/p/broad", "policy=broadcast");
        await PostAsync("/p/round", "policy=roundrobin");
        await PostAsync("/control/round", "status=stop");

        var all = (await GetAsync("/stats/")).Json;

        var queues = all.GetProperty("queues");
        Assert.Equal("{\"name\":\"plain\",\"len\":3,\"status\":1,\"policy\":\"\"}", queues.GetProperty("plain").GetRawText());
        Assert.Equal("{\"name\":\"broad\",\"len\":0,\"status\":1,\"policy\":1}", queues.GetProperty("broad").GetRawText());
        Assert.Equal("{\"name\":\"round\",\"len\":0,\"status\":0,\"policy\":2}", queues.GetProperty("round").GetRawText());
        Assert.Equal(3, all.GetProperty("count").GetInt32());
        Assert.Equal(["count", "queues", "redis"], NamesOf(all));
        Assert.NotEmpty(all.GetProperty("redis").GetString()!);
        var one = (await GetAsync("/stats/plain")).Json;
        Assert.Equal(["len", "queue", "redis"], NamesOf(one));
        Assert.Equal(("plain", 3), (one.GetProperty("queue").GetString(), one.GetProperty("len").GetInt32()));
        Assert.NotEmpty(one.GetProperty("redis").GetString()!);
    }

    private static IEnumerable<string> NamesOf(JsonElement json) =>
        json.EnumerateObject().Select(field => field.Name).Order(StringComparer.Ordinal);

    [Fact]
    public async Task The_page_of_a_queue_counts_and_names_the_latest_ten_keys_escaped()
    {
        var name = Uri.EscapeDataString("<i>test");
        for (var i = 0; i < 11; i++)
        {
            await PutAsync(name, "a");
        }

        await _server.PostAsync($"/q/{name}?id=%3Cscript%3E", "native");

        var answer = await GetAsync($"/j/{name}");

        Assert.Equal((200, "text/html"), (answer.Status, answer.ContentType));
        Assert.Contains("<h1>&lt;i&gt;test</h1>", answer.Text, StringComparison.Ordinal);
        Assert.Contains("Stored objects: 12<", answer.Text, StringComparison.Ordinal);
        Assert.Contains("Jobs: 12<", answer.Text, StringComparison.Ordinal);
        var keys = answer.Text.Split("<li>").Skip(1).Select(part => part[..part.IndexOf('<', StringComparison.Ordinal)]).ToArray();
        Assert.Equal(
            ["&lt;i&gt;test:&lt;script&gt;", .. Enumerable.Range(3, 9).Reverse().Select(number => $"&lt;i&gt;test:{number}")], keys);
        Assert.DoesNotContain("<i>", answer.Text, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", answer.Headers["Content-Security-Policy"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_queue_that_is_not_there_has_zeros_and_is_not_made_by_asking()
    {
        Assert.Equal(0, await LengthAsync("nothing"));
        Assert.Equal(200, (await GetAsync("/j/nothing")).Status);
        Assert.Equal(1, (await GetAsync("/control/nothing")).Json.GetProperty("status").GetProperty("status").GetInt32());
        Assert.Equal(0, (await GetAsync("/stats/")).Json.GetProperty("count").GetInt32());
    }
}
