using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

public abstract partial class RestMqContract
{
    [Theory]
    [InlineData("/", "queue=test&value=foobar")]
    [InlineData("/", "queue=test&msg=foobar")]
    [InlineData("/", "queue=test&value=foobar&ttl=60")]
    [InlineData("/?queue=test&value=foobar", "")]
    [InlineData("/q/test", "value=foobar")]
    [InlineData("/q/test", "value=no&msg=foobar")]
    [InlineData("/q/test?value=foobar", "")]
    [InlineData("/q/test?callback=x", "msg=foobar&ttl=60")]
    public async Task A_put_answers_the_key_and_a_take_gives_the_message(string path, string form)
    {
        Assert.Equal((200, "text/plain", "test:1\r\n"), Whole(await PostAsync(path, form)));

        Assert.Equal(
            (200, "application/json", "{\"key\":\"test:1\",\"value\":\"foobar\",\"count\":0}\r\n"),
            Whole(await GetAsync("/q/test")));
        Assert.Equal((204, "", ""), Whole(await GetAsync("/q/test")));
    }

    [Fact]
    public async Task The_root_takes_too_and_says_404_when_empty()
    {
        await PutAsync("test", "a b&ü\"\r\n");

        var taken = await GetAsync("/?queue=test");
        Assert.Equal((200, "application/json", "{\"key\":\"test:1\",\"value\":\"a b&ü\\\"\\r\\n\",\"count\":0}\r\n"), Whole(taken));
        Assert.Equal((404, "text/plain", "The queue is empty.\r\n"), Whole(await GetAsync("/?queue=test")));
    }

    [Fact]
    public async Task The_root_without_a_queue_leads_to_the_dashboard()
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { BaseAddress = _server.Address };
        using var answer = await client.GetAsync(_base + "/").WithTimeout();

        Assert.Equal(302, (int)answer.StatusCode);
        Assert.Equal(_server.Address, new Uri(_server.Address, answer.Headers.Location!));
    }

    [Theory]
    [InlineData("/", "value=x", Form, 400, "queue")]
    [InlineData("/", "queue=test", Form, 400, "value")]
    [InlineData("/", "queue=a%2Fb&value=x", Form, 400, "'/'")]
    [InlineData("/", "", null, 400, "queue")]
    [InlineData("/q/test", "", Form, 400, "value")]
    [InlineData("/q/test", "value=", Form, 400, "value")]
    [InlineData("/q/test", "VALUE=x", Form, 400, "value")]
    [InlineData("/q/test", "value=a&value=b", Form, 400, "twice")]
    [InlineData("/q/test?value=a", "value=b", Form, 400, "twice")]
    [InlineData("/q/test", "value=%FF", Form, 400, "UTF-8")]
    [InlineData("/q/test", "value=x&ttl=soon", Form, 400, "ttl")]
    [InlineData("/q/test", "value=x&ttl=-1", Form, 400, "ttl")]
    [InlineData("/q/test", "value=x&ttl=0", Form, 400, "ttl")]
    [InlineData("/q/test", "{\"value\":\"x\"}", "application/json", 400, "value")]
    [InlineData("/q/test", "{\"value\":\"x\"}", Form, 400, "value")]
    [InlineData("/q/test", "value=x", "text/plain", 400, "value")]
    public async Task A_bad_put_is_a_sentence_and_stores_nothing(string path, string body, string? contentType, int status, string word)
    {
        var answer = await PostAsync(path, body, contentType);

        Assert.Equal((status, "text/plain"), (answer.Status, answer.ContentType));
        Assert.Contains(word, answer.Text, StringComparison.Ordinal);
        Assert.EndsWith(".\r\n", answer.Text, StringComparison.Ordinal);
        Assert.Equal(0, (await GetAsync("/stats/")).Json.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_refused()
    {
        var answer = await PostAsync("/q/test", "value=" + new string('x', (1024 * 1024) + 1));

        Assert.Equal((413, "text/plain"), (answer.Status, answer.ContentType));
        Assert.Equal(0, await LengthAsync("test"));
    }

    [Fact]
    public async Task A_message_is_dropped_when_its_seconds_are_over()
    {
        await PostAsync("/q/test", "value=short&ttl=10");
        await PostAsync("/q/test", "value=long&ttl=20");

        _time.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal("long", (await GetAsync("/q/test")).Json.GetProperty("value").GetString());
    }

    [Fact]
    public async Task The_list_links_to_each_queue_with_its_name_escaped()
    {
        await PutAsync("test", "a");
        await PutAsync(Uri.EscapeDataString("<b>\"&'"), "a");

        var answer = await GetAsync("/q/");

        var start = _base.StartsWith('/') ? _base : "";
        Assert.Equal((200, "text/html"), (answer.Status, answer.ContentType));
        Assert.Contains($"<a href=\"{start}/q/test\">test</a>", answer.Text, StringComparison.Ordinal);
        Assert.Contains($"<a href=\"{start}/q/%3Cb%3E%22%26%27\">&lt;b&gt;&quot;&amp;&#39;</a>", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", answer.Text, StringComparison.Ordinal);
        Assert.EndsWith("\r\n", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_says_1_and_where_there_was_nothing_0()
    {
        await PutAsync("test", "a", "b");

        Assert.Equal(
            (
                200,
                "application/json",
                "{\"queue\":\"test\",\"status\":1}\r\n"), Whole(await _server.SendAsync("DELETE", _base + "/q/test")));
        Assert.Equal("{\"queue\":\"test\",\"status\":0}\r\n", (await _server.SendAsync("DELETE", _base + "/q/test")).Text);
        Assert.Equal(204, (await GetAsync("/q/test")).Status);
    }

    [Theory]
    [InlineData("/p/test")]
    [InlineData("/control/test")]
    [InlineData("/control/")]
    [InlineData("/stats/")]
    [InlineData("/stats/test")]
    public async Task A_JSON_answer_says_that_it_is_and_ends_its_line(string path)
    {
        await PutAsync("test", "a");

        var answer = await GetAsync(path);

        Assert.Equal((200, "application/json"), (answer.Status, answer.ContentType));
        Assert.StartsWith("{", answer.Text, StringComparison.Ordinal);
        Assert.EndsWith("}\r\n", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("show")]
    [InlineData("$.page_1.show")]
    public async Task A_callback_wraps_every_JSON_answer(string callback)
    {
        await PutAsync("test", "a\u2028b");

        foreach (var path in (string[])["/p/test", "/control/test", "/control/", "/stats/", "/stats/test"])
        {
            var answer = await GetAsync($"{path}?callback={callback}");
            Assert.Equal((200, "application/javascript"), (answer.Status, answer.ContentType));
            Assert.StartsWith(callback + "({", answer.Text, StringComparison.Ordinal);
            Assert.EndsWith("});\r\n", answer.Text, StringComparison.Ordinal);
        }

        Assert.Equal(
            callback + "({\"key\":\"test:1\",\"value\":\"a\\u2028b\",\"count\":0});\r\n", (
                await GetAsync($"/q/test?callback={callback}")).Text);
        Assert.Equal(callback + "(\"OK\");\r\n", (await PostAsync("/p/test", $"policy=broadcast&callback={callback}")).Text);
        Assert.Equal(
            callback + "({\"error\":\"empty queue\"});\r\n",
            (await PostAsync($"/queue?callback={callback}", "{\"cmd\":\"get\",\"queue\":\"test\"}")).Text);
        Assert.Equal(
            callback + "({\"queue\":\"test\",\"status\":1});\r\n", (
                await _server.SendAsync("DELETE", $"{_base}/q/test?callback={callback}")).Text);
    }

    [Theory]
    [InlineData("alert(1)//")]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("a;b")]
    [InlineData("a b")]
    [InlineData("a..b")]
    [InlineData("1a")]
    [InlineData("a\n")]
    [InlineData("ä")]
    public async Task A_callback_that_is_no_plain_name_is_refused_and_takes_nothing(string callback)
    {
        await PutAsync("test", "a");
        var query = "callback=" + Uri.EscapeDataString(callback);

        foreach (var path in (string[])["/q/test?", "/?queue=test&", "/c/test?", "/stats/?", "/p/test?"])
        {
            var answer = await GetAsync(path + query);
            Assert.Equal((400, "text/plain"), (answer.Status, answer.ContentType));
        }

        Assert.Equal(400, (await PostAsync("/p/test?" + query, "policy=roundrobin")).Status);
        Assert.Equal(400, (await PostAsync("/p/test", "policy=roundrobin&" + query)).Status);
        Assert.Equal(400, (await PostAsync("/queue?" + query, "{\"cmd\":\"take\",\"queue\":\"test\"}")).Status);
        Assert.Equal("unknown", (await GetAsync("/p/test")).Json.GetProperty("value").GetString());
        Assert.Equal(1, await LengthAsync("test"));
    }

    [Fact]
    public async Task A_stopped_queue_still_takes_here_and_only_here()
    {
        await PutAsync("test", "a", "b");
        await PostAsync("/control/test", "status=stop");

        Assert.Equal("a", (await GetAsync("/q/test")).Json.GetProperty("value").GetString());
        Assert.Equal(409, (await _server.GetAsync("/q/test")).Status);
    }

    [Fact]
    public async Task Messages_of_the_native_API_come_out_as_text_and_what_is_binary_as_base64()
    {
        await _server.PostAsync("/q/test?id=my%20id", "text");
        await _server.PostAsync("/q/test", "{\"a\": 1}", "application/json");
        await _server.PostAsync("/q/test", "bytes", "application/octet-stream");

        Assert.Equal("{\"key\":\"test:my id\",\"value\":\"text\",\"count\":0}\r\n", (await GetAsync("/q/test")).Text);
        Assert.Equal("{\"a\": 1}", (await GetAsync("/q/test")).Json.GetProperty("value").GetString());
        Assert.Equal(Base64("bytes"), (await GetAsync("/q/test")).Json.GetProperty("value").GetString());
    }

    [Fact]
    public async Task Messages_put_here_come_out_of_the_native_API_as_they_were()
    {
        await PutAsync("test", "a b");

        var taken = await _server.GetAsync("/q/test");

        Assert.Equal((200, "text/plain", "a b"), Whole(taken));
    }

    [Theory]
    [InlineData("HEAD", "/q/test")]
    [InlineData("PUT", "/q/test")]
    [InlineData("DELETE", "/p/test")]
    [InlineData("GET", "/xmlrpc")]
    public async Task A_wrong_method_is_refused_and_takes_nothing(string method, string path)
    {
        await PutAsync("test", "a");

        var answer = await _server.SendAsync(method, _base + path);

        Assert.Equal((405, "text/plain"), (answer.Status, answer.ContentType));
        Assert.NotEmpty(answer.Headers["Allow"]);
        Assert.Equal(1, await LengthAsync("test"));
    }

    [Fact]
    public async Task A_path_that_is_not_there_is_a_404_of_this_API()
    {
        foreach (var path in (string[])["/nothing", "/hub", "/metrics", "/index.html", "/restmq/q/test"])
        {
            Assert.Equal((404, "text/plain", "Nothing is served under this path.\r\n"), Whole(await GetAsync(path)));
        }
    }

    [Fact]
    public async Task A_page_of_another_origin_is_refused_here_too()
    {
        await PutAsync("test", "a");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_server.Address, _base + "/q/test"));
        request.Headers.Add("Origin", "https://evil.example");

        Assert.Equal(403, (await _server.SendAsync(request)).Status);
        Assert.Equal(1, await LengthAsync("test"));
    }
}
