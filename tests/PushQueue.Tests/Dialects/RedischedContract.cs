using Microsoft.Extensions.DependencyInjection;
using PushQueue.Queues;
using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

/// <summary>redisched's table, row by row. A subclass says over which store and where it is mounted.</summary>
public abstract class RedischedContract : IAsyncLifetime
{
    private const string None = """{"result":null}""";

    private readonly TestTimeProvider _time = new();
    private PushQueueServer _server = null!;
    private string _base = "";

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public async ValueTask InitializeAsync() => (_server, _base) = await StartAsync(_time);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private protected abstract Task<DialectPlace> StartAsync(TimeProvider time);

    [Fact]
    public async Task A_put_answers_1_and_0_where_the_id_is_present()
    {
        var answer = await PostAsync("/t/T/put", """{"id":"a","body":"x","expiration":1000}""");

        Assert.Equal((200, "application/json", """{"result":1}"""), (answer.Status, answer.ContentType, answer.Text));
        Assert.Equal("""{"result":0}""", (await PostAsync("/t/T/put", """{"id":"a","body":"y","expiration":2000}""")).Text);
    }

    [Fact]
    public async Task The_callers_clock_decides_what_is_available_not_the_servers()
    {
        await PutAsync("late", NowMs + 60_000);
        await PutAsync("past", 5000);

        Assert.Equal(None, (await PostAsync("/t/T/pull", """{"max":4999}""")).Text);
        Assert.Equal("""{"result":{"id":"past","body":"past"}}""", (await PostAsync("/t/T/pull", """{"max":5000}""")).Text);
        Assert.Equal(404, (await GetAsync("/t/T/jobs/past")).Status);
        Assert.Equal(None, (await PostAsync("/t/T/pull", "{}")).Text);
        Assert.Equal("""{"result":{"id":"late","body":"late"}}""", (await PostAsync("/t/T/pull", $$"""{"max":{{NowMs + 60_000}}}""")).Text);
        Assert.Equal(None, (await PostAsync("/t/T/pull", $$"""{"max":{{NowMs + 60_000}}}""")).Text);
    }

    [Fact]
    public async Task Reserve_gives_the_smallest_expiration_and_keeps_it_from_others()
    {
        await PutAsync("b", 2000);
        await PutAsync("a", 1000);

        Assert.Equal("""{"result":{"id":"a","body":"a"}}""", (await ReserveAsync(3000)).Text);
        Assert.Equal("""{"result":{"id":"b","body":"b"}}""", (await ReserveAsync(3000)).Text);
        Assert.Equal(None, (await ReserveAsync(3000)).Text);
    }

    [Fact]
    public async Task A_reservation_ends_by_the_servers_clock_after_its_ttr()
    {
        await PutAsync("a", 1000);
        await ReserveAsync(3000, ttr: 10);

        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Equal(None, (await ReserveAsync(3000)).Text);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal("""{"result":{"id":"a","body":"a"}}""", (await ReserveAsync(3000)).Text);
    }

    [Fact]
    public async Task The_ttr_has_the_unit_of_max()
    {
        await PutAsync("a", 1000);
        await PostAsync("/t/T/reserve", $$"""{"max":{{NowMs}},"ttr":500}""");

        _time.Advance(TimeSpan.FromMilliseconds(500));

        Assert.Equal("queued", await StateAsync("a"));
    }

    [Fact]
    public async Task A_failed_job_comes_back_as_often_as_it_takes()
    {
        await PutAsync("a", 1000);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            Assert.NotEqual(None, (await ReserveAsync(3000, ttr: 1)).Text);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal("queued", await StateAsync("a"));
    }

    [Fact]
    public async Task Requeue_ends_reservations_by_the_callers_clock()
    {
        await PutAsync("a", 1000);
        await PutAsync("b", 1001);
        await PutAsync("c", 1002);
        foreach (var max in (int[])[2000, 2010, 2020])
        {
            await ReserveAsync(max, ttr: 3000);
        }

        Assert.Equal("""{"result":0}""", (await PostAsync("/t/T/requeue", """{"max":4999}""")).Text);
        Assert.Equal("""{"result":1}""", (await PostAsync("/t/T/requeue", """{"max":6000,"limit":1}""")).Text);
        Assert.Equal("queued", await StateAsync("a"));
        Assert.Equal("reserved", await StateAsync("b"));
        Assert.Equal("""{"result":2}""", (await PostAsync("/t/T/requeue", """{"max":6000}""")).Text);
        Assert.Equal("""{"result":0}""", (await PostAsync("/t/none/requeue", """{"max":6000}""")).Text);
    }

    [Fact]
    public async Task Requeue_takes_a_thousand_where_nothing_is_said()
    {
        var (broker, topic) = (_server.Services.GetRequiredService<IMessageBroker>(), QueueName.Parse("T"));
        var jobs = Enumerable.Range(0, 1001).Select(_ => new NewMessage { Body = "x"u8.ToArray(), ContentType = "text/plain" });
        Assert.True((await broker.PutManyAsync(topic, [.. jobs])).Ok);
        var by = _time.GetUtcNow();
        Assert.Equal(1001, (await broker.LeaseAsync(
            topic, new TakeRequest(1001, Selection: Selection.DueBy(by), TimeToRun: TimeSpan.FromMinutes(1)), default)).Value.Count);

        var late = $$"""{"max":{{(by + TimeSpan.FromMinutes(2)).ToUnixTimeMilliseconds()}}}""";
        Assert.Equal("""{"result":1000}""", (await PostAsync("/t/T/requeue", late)).Text);
        Assert.Equal("""{"result":1}""", (await PostAsync("/t/T/requeue", late)).Text);
    }

    [Theory]
    [InlineData("GET", "/t/T/put", 405)]
    [InlineData("HEAD", "/t/T/ready", 405)]
    [InlineData("POST", "/t/T/jobs/a", 405)]
    [InlineData("GET", "/schedule/T", 405)]
    [InlineData("GET", "/nothing", 404)]
    [InlineData("POST", "/t/T", 404)]
    public async Task Other_methods_and_paths_are_refused_as_JSON(string method, string path, int status)
    {
        var answer = await _server.SendAsync(method, _base + path);

        Assert.Equal((status, "application/json"), (answer.Status, answer.ContentType));
        Assert.True(method == "HEAD" || answer.Json.GetProperty("error").GetString()!.Length > 0);
    }

    [Fact]
    public async Task A_released_job_is_gone_and_only_a_reserved_one_can_be_released()
    {
        await PutAsync("a", 1000);
        Assert.Equal("""{"result":0}""", (await PostAsync("/t/T/release", """{"id":"a"}""")).Text);
        await ReserveAsync(3000);

        Assert.Equal("""{"result":1}""", (await PostAsync("/t/T/release", """{"id":"a"}""")).Text);

        Assert.Equal("""{"result":0}""", (await PostAsync("/t/T/release", """{"id":"a"}""")).Text);
        Assert.Equal(404, (await GetAsync("/t/T/jobs/a")).Status);
    }

    [Fact]
    public async Task A_release_with_an_expiration_queues_the_job_again()
    {
        await PutAsync("a", 1000);
        Assert.Equal("""{"result":0}""", (await PostAsync("/t/T/release", """{"id":"a","expiration":9000}""")).Text);
        await ReserveAsync(3000);

        Assert.Equal("""{"result":1}""", (await PostAsync("/t/T/release", """{"id":"a","expiration":9000}""")).Text);

        Assert.Equal("""{"id":"a","body":"a","expiration":9000,"state":"queued"}""", (await GetAsync("/t/T/jobs/a")).Text);
        Assert.Equal(None, (await ReserveAsync(8999)).Text);
        Assert.NotEqual(None, (await ReserveAsync(9000)).Text);
    }

    [Fact]
    public async Task A_job_is_deleted_queued_or_reserved()
    {
        await PutAsync("a", 1000);
        await PutAsync("b", NowMs + 60_000);
        await ReserveAsync(1000);

        Assert.Equal("""{"result":1}""", (await PostAsync("/t/T/delete", """{"id":"a"}""")).Text);
        Assert.Equal("""{"result":1}""", (await PostAsync("/t/T/delete", """{"id":"b"}""")).Text);
        Assert.Equal("""{"result":0}""", (await PostAsync("/t/T/delete", """{"id":"b"}""")).Text);
    }

    [Fact]
    public async Task A_job_is_shown_with_its_own_time_and_state()
    {
        var at = NowMs + 60_000;
        await PostAsync("/t/T/put", $$"""{"id":"a/b","body":{"n": 1},"expiration":{{at}}}""");

        Assert.Equal($$"""{"id":"a/b","body":{"n": 1},"expiration":{{at}},"state":"queued"}""", (await GetAsync("/t/T/jobs/a%2Fb")).Text);
        await ReserveAsync(at);
        Assert.Equal("reserved", await StateAsync("a%2Fb"));
        var none = await GetAsync("/t/T/jobs/x");
        Assert.Equal((404, "application/json", "error"), (none.Status, none.ContentType, Assert.Single(none.Json.EnumerateObject()).Name));
    }

    [Fact]
    public async Task Available_jobs_are_counted()
    {
        await PutAsync("a", 1000);
        await PutAsync("b", NowMs + 60_000);
        await PutAsync("c", 500);
        await ReserveAsync(500);

        Assert.Equal("""{"result":1}""", (await GetAsync("/t/T/ready")).Text);
        Assert.Equal("""{"result":0}""", (await GetAsync("/t/T/ready?max=999")).Text);
        Assert.Equal("""{"result":2}""", (await GetAsync($"/t/T/ready?max={NowMs + 60_000}")).Text);
        Assert.Equal("""{"result":0}""", (await GetAsync("/t/none/ready")).Text);
    }

    [Fact]
    public async Task A_job_is_scheduled_from_now_and_cancelled_before_it_is_due()
    {
        var scheduled = await PostAsync("/schedule/T", """{"id":"a","contents":"x","delay":1.5}""");
        Assert.Equal((200, "application/json", """{"success":true}"""), (scheduled.Status, scheduled.ContentType, scheduled.Text));
        Assert.Equal("""{"success":false}""", (await PostAsync("/schedule/T", """{"id":"a","contents":"y","delay":0}""")).Text);
        Assert.Equal($$"""{"id":"a","body":"x","expiration":{{NowMs + 1500}},"state":"queued"}""", (await GetAsync("/t/T/jobs/a")).Text);

        Assert.Equal("""{"success":true}""", (await PostAsync("/cancel/T", """{"id":"a"}""")).Text);

        Assert.Equal("""{"success":false}""", (await PostAsync("/cancel/T", """{"id":"a"}""")).Text);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(None, (await PostAsync("/t/T/reserve", "{}")).Text);
    }

    [Fact]
    public async Task An_id_may_be_a_number_and_is_its_digits()
    {
        await PostAsync("/t/T/put", """{"id":17,"body":[1],"expiration":1000}""");

        Assert.Equal("""{"result":{"id":"17","body":[1]}}""", (await ReserveAsync(1000)).Text);
        Assert.Equal("""{"result":1}""", (await PostAsync("/t/T/release", """{"id":"17"}""")).Text);
    }

    [Fact]
    public async Task A_stopped_topic_gives_nothing_out()
    {
        await PutAsync("a", 1000);
        await _server.PostAsync("/control/T", "status=stop");

        Assert.Equal(None, (await ReserveAsync(3000)).Text);
        Assert.Equal(None, (await PostAsync("/t/T/pull", """{"max":3000}""")).Text);
    }

    [Fact]
    public async Task Other_apis_see_the_same_jobs()
    {
        await PutAsync("a", 1000);
        Assert.Equal("a", (await _server.GetAsync("/q/T")).Text);

        await _server.PostAsync("/q/T?id=j", """{"n":1}""", "application/json");
        await _server.PostAsync("/q/T?id=b", "\u0001\u0002", "application/octet-stream");

        Assert.Equal("""{"result":{"id":"j","body":{"n":1}}}""", (await PostAsync("/t/T/pull", "{}")).Text);
        Assert.Equal("""{"result":{"id":"b","body":"AQI="}}""", (await PostAsync("/t/T/pull", "{}")).Text);
    }

    private async Task PutAsync(string id, long expiration) =>
        Assert.Equal("""{"result":1}""", (await PostAsync("/t/T/put", $$"""{"id":"{{id}}","body":"{{id}}","expiration":{{expiration}}}""")).Text);

    private Task<Answer> ReserveAsync(long max, int ttr = 30) => PostAsync("/t/T/reserve", $$"""{"max":{{max}},"ttr":{{ttr}}}""");

    private async Task<string?> StateAsync(string id) => (await GetAsync($"/t/T/jobs/{id}")).Json.GetProperty("state").GetString();

    private Task<Answer> GetAsync(string path) => _server.GetAsync(_base + path);

    private Task<Answer> PostAsync(string path, string json) => _server.PostAsync(_base + path, json, "application/json");
}

public sealed class RedischedUnderItsPrefixTests : RedischedContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.UnderItsPrefixAsync("redisched", time);
}

public sealed class RedischedAtItsOwnPortTests : RedischedContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.AtItsOwnPortAsync("redisched", time);
}

public sealed class RedischedOverRedisTests(SharedRedis redis) : RedischedContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.OverRedisAsync("redisched", time, redis);
}
