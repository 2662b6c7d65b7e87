using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

/// <summary>Requests that redisched refuses, without storing anything.</summary>
public sealed class RedischedBadInputTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await PushQueueServer.StartAsync(options => options.Queues.MessageBytesMax = 1000);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("")]
    [InlineData("id=a&body=b&expiration=1")]
    [InlineData("""{"id":"a","body":"b","expiration":1000,}""")]
    [InlineData("""{'id':'a','body':'b','expiration':1000}""")]
    [InlineData("""{"id":"a","body":"b","expiration":1000} {}""")]
    [InlineData("""[{"id":"a","body":"b","expiration":1000}]""")]
    [InlineData("""{"id":"a","id":"b","body":"b","expiration":1000}""")]
    [InlineData("""{"body":"b","expiration":1000}""")]
    [InlineData("""{"id":null,"body":"b","expiration":1000}""")]
    [InlineData("""{"id":"","body":"b","expiration":1000}""")]
    [InlineData("""{"id":"a\nb","body":"b","expiration":1000}""")]
    [InlineData("""{"id":"\ud800","body":"b","expiration":1000}""")]
    [InlineData("""{"id":1.5,"body":"b","expiration":1000}""")]
    [InlineData("""{"id":["a"],"body":"b","expiration":1000}""")]
    [InlineData("""{"id":"a","expiration":1000}""")]
    [InlineData("""{"id":"a","body":"\ud800","expiration":1000}""")]
    [InlineData("""{"id":"a","body":"b"}""")]
    [InlineData("""{"id":"a","body":"b","expiration":-1}""")]
    [InlineData("""{"id":"a","body":"b","expiration":1e30}""")]
    [InlineData("""{"id":"a","body":"b","expiration":1e300}""")]
    [InlineData("""{"id":"a","body":"b","expiration":"1000"}""")]
    [InlineData("""{"id":"a","body":"b","expiration":253370764800001}""")]
    public async Task A_put_that_is_wrong_stores_nothing(string body)
    {
        await RefusedAsync("/t/T/put", body);

        Assert.Equal("""{"result":0}""", (await _server.GetAsync("/redisched/t/T/ready?max=253370764800000")).Text);
    }

    [Fact]
    public async Task A_body_that_is_null_is_a_body_and_not_a_missing_one()
    {
        await _server.PostAsync("/redisched/t/T/put", """{"id":"a","body":null,"expiration":1}""");

        Assert.Equal("""{"result":1}""", (await _server.GetAsync("/redisched/t/T/ready?max=253370764800000")).Text);
    }

    [Theory]
    [InlineData("""{"id":"a","contents":"x"}""")]
    [InlineData("""{"id":"a","contents":"x","delay":-1}""")]
    [InlineData("""{"id":"a","contents":"x","delay":1e12}""")]
    [InlineData("""{"id":"a","contents":"x","delay":"1"}""")]
    [InlineData("""{"id":"a","delay":1}""")]
    [InlineData("""{"contents":"x","delay":1}""")]
    public async Task A_schedule_that_is_wrong_stores_nothing(string body)
    {
        await RefusedAsync("/schedule/T", body);

        Assert.Equal("""{"result":0}""", (await _server.GetAsync("/redisched/t/T/ready?max=253370764800000")).Text);
    }

    [Theory]
    [InlineData("reserve", """{"max":-5}""")]
    [InlineData("reserve", """{"max":"now"}""")]
    [InlineData("reserve", """{"max":1000,"ttr":0}""")]
    [InlineData("reserve", """{"max":1000,"ttr":-1}""")]
    [InlineData("reserve", """{"max":1000,"ttr":86401}""")]
    [InlineData("reserve", """{"ttr":1e20}""")]
    [InlineData("reserve", """{"ttr":[1]}""")]
    [InlineData("pull", """{"max":1e20}""")]
    [InlineData("requeue", """{"max":-1}""")]
    [InlineData("requeue", """{"max":1000,"limit":-1}""")]
    [InlineData("requeue", """{"max":1000,"limit":1.5}""")]
    [InlineData("release", """{}""")]
    [InlineData("release", """{"id":"a","expiration":-1}""")]
    [InlineData("delete", """{"id":{}}""")]
    public async Task Numbers_that_cannot_be_are_refused(string operation, string body) => await RefusedAsync("/t/T/" + operation, body);

    [Theory]
    [InlineData("-1")]
    [InlineData("soon")]
    [InlineData("1e9")]
    public async Task A_count_needs_a_time(string max)
    {
        var answer = await _server.GetAsync("/redisched/t/T/ready?max=" + max);

        Assert.Equal((400, "application/json"), (answer.Status, answer.ContentType));
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused()
    {
        var answer = await _server.PostAsync("/redisched/t/T/put", $$"""{"id":"a","body":"{{new string('x', 1001)}}","expiration":1000}""");

        Assert.Equal(413, answer.Status);
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
    }

    [Theory]
    [InlineData("http://192.0.2.1/receive", 403)]
    [InlineData("http://10.1.2.3:8080/", 403)]
    [InlineData("http://0.0.0.0:80/", 403)]
    [InlineData("http://[2001:db8::1]/", 403)]
    [InlineData("http://169.254.169.254/latest/meta-data", 403)]
    [InlineData("http://no-such-host.invalid/", 403)]
    [InlineData("https://10.0.0.1/", 403)]
    [InlineData("http://[::ffff:10.0.0.1]/", 403)]
    [InlineData("http://[::]/", 403)]
    [InlineData("http://[::127.0.0.1]/", 403)]
    [InlineData("http://[64:ff9b::7f00:1]/", 403)]
    [InlineData("http://167772161/", 403)]
    [InlineData("http://0x0a000001/", 403)]
    [InlineData("http://012.0.0.1/", 403)]
    [InlineData("http://10.1/", 403)]
    [InlineData("http://127.0.0.1.invalid/", 403)]
    [InlineData("http://127.0.0.1@10.0.0.1/", 400)]
    [InlineData("ftp://127.0.0.1/", 400)]
    [InlineData("file:///etc/passwd", 400)]
    [InlineData("/receive", 400)]
    [InlineData("http://user:password@127.0.0.1/", 400)]
    [InlineData("", 400)]
    public async Task A_subscription_to_elsewhere_is_refused(string url, int status)
    {
        var answer = await _server.PostAsync("/redisched/subscribe/T", $$"""{"url":"{{url}}"}""", "application/json");

        Assert.Equal((status, "application/json"), (answer.Status, answer.ContentType));
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
        Assert.Equal(404, (await _server.GetAsync("/j/T")).Status);
    }

    [Theory]
    [InlineData("http://localhost/")]
    [InlineData("http://LOCALHOST./")]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://127.1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    public async Task A_name_or_number_that_stands_for_a_forbidden_address_is_refused(string url)
    {
        await using var server = await PushQueueServer.StartAsync(options =>
        {
            options.Redisched.PushAllowed.Clear();
            options.Redisched.PushAllowed.Add("192.0.2.0/24");
        });

        var answer = await server.PostAsync("/redisched/subscribe/T", $$"""{"url":"{{url}}"}""", "application/json");

        Assert.Equal((403, "application/json"), (answer.Status, answer.ContentType));
        Assert.Equal(404, (await server.GetAsync("/j/T")).Status);
    }

    [Fact]
    public async Task A_subscription_needs_a_url() => await RefusedAsync("/subscribe/T", "{}");

    private async Task RefusedAsync(string path, string body)
    {
        var answer = await _server.PostAsync("/redisched" + path, body, "application/json");

        Assert.Equal((400, "application/json"), (answer.Status, answer.ContentType));
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
    }
}
