using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Queues;
using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

/// <summary>Jobs that are pushed to a URL as they fall due. A subclass says over which store.</summary>
public abstract class RedischedPushContract : IAsyncLifetime
{
    private const string Success = """{"success":true}""";
    private const string Failure = """{"success":false}""";

    private readonly TestTimeProvider _time = new();
    private PushQueueServer _server = null!;
    private string _base = "";

    public async ValueTask InitializeAsync() => (_server, _base) = await StartAsync(_time);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private protected abstract Task<DialectPlace> StartAsync(TimeProvider time);

    [Fact]
    public async Task A_job_is_pushed_when_it_falls_due_and_released_by_a_2xx()
    {
        await using var receiver = await PushReceiver.StartAsync((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });
        await SubscribeAsync(receiver.Url);
        await ScheduleAsync("a", """{"n": 1}""", delay: 60);
        await ScheduleAsync("b", "\"text\"", delay: 61);

        Assert.Empty(receiver.Came);
        _time.Advance(TimeSpan.FromSeconds(60));
        await receiver.CameAsync(1);

        Assert.Equal(new PushedJob("POST", "/receive", "application/json", """{"topic":"T","id":"a","contents":{"n": 1}}""", "a"), Assert.Single(receiver.Came));
        await GoneAsync("a");
        _time.Advance(TimeSpan.FromSeconds(1));
        await receiver.CameAsync(2);
        Assert.Equal("""{"topic":"T","id":"b","contents":"text"}""", receiver.Came[1].Body);
    }

    [Fact]
    public async Task Jobs_that_wait_already_are_pushed_at_once()
    {
        await ScheduleAsync("a", "1", delay: 0);
        await using var receiver = await PushReceiver.StartAsync();

        await SubscribeAsync(receiver.Url);

        await receiver.CameAsync(1);
        await GoneAsync("a");
    }

    [Fact]
    public async Task A_job_whose_push_fails_is_put_back_with_a_growing_delay()
    {
        await using var receiver = await PushReceiver.StartAsync((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return Task.CompletedTask;
        });
        await SubscribeAsync(receiver.Url);
        await ScheduleAsync("a", "1", delay: 0);

        foreach (var seconds in (int[])[1, 2, 4, 8])
        {
            await QueuedInAsync("a", TimeSpan.FromSeconds(seconds));
            _time.Advance(TimeSpan.FromSeconds(seconds));
        }

        await receiver.CameAsync(5);
        Assert.Equal("the receiver answered 500",
            (await _server.Services.GetRequiredService<IMessageBroker>().FindAsync(QueueName.Parse("T"), MessageId.Parse("a")))!.LastError);
    }

    [Fact]
    public async Task The_queues_own_retry_delay_wins()
    {
        await using var receiver = await PushReceiver.StartAsync((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        await _server.SendAsync("PATCH", "/q/T/settings", """{"retryDelay":"42s"}""");
        await SubscribeAsync(receiver.Url);
        await ScheduleAsync("a", "1", delay: 0);

        await QueuedInAsync("a", TimeSpan.FromSeconds(42));
    }

    [Fact]
    public async Task A_redirect_is_a_failure_and_is_not_followed()
    {
        await using var elsewhere = await PushReceiver.StartAsync();
        await using var receiver = await PushReceiver.StartAsync((context, _) =>
        {
            context.Response.Redirect(elsewhere.Url.AbsoluteUri, permanent: false, preserveMethod: true);
            return Task.CompletedTask;
        });
        await SubscribeAsync(receiver.Url);
        await ScheduleAsync("a", "1", delay: 0);

        await QueuedInAsync("a", TimeSpan.FromSeconds(1));

        Assert.Single(receiver.Came);
        Assert.Empty(elsewhere.Came);
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_within_the_time_to_run_has_failed()
    {
        await using var receiver = await PushReceiver.StartAsync(
            (context, _) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        await SubscribeAsync(receiver.Url);
        await ScheduleAsync("a", "1", delay: 0);
        await receiver.CameAsync(1);

        _time.Advance(QueueSettings.Default.TimeToRun);

        await QueuedInAsync("a", TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_receiver_that_is_not_there_has_failed()
    {
        Uri gone;
        await using (var receiver = await PushReceiver.StartAsync())
        {
            gone = receiver.Url;
        }

        await SubscribeAsync(gone);
        await ScheduleAsync("a", "1", delay: 0);

        await QueuedInAsync("a", TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Nothing_is_pushed_after_the_end_of_the_subscription()
    {
        await using var receiver = await PushReceiver.StartAsync();
        Assert.Equal(Failure, (await _server.SendAsync("DELETE", _base + "/subscribe/T")).Text);
        await SubscribeAsync(receiver.Url);

        Assert.Equal(Success, (await _server.SendAsync("DELETE", _base + "/subscribe/T")).Text);
        await ScheduleAsync("a", "1", delay: 0);

        Assert.Equal(Failure, (await _server.SendAsync("DELETE", _base + "/subscribe/T")).Text);
        Assert.Contains("\"id\":\"a\"", (await _server.PostAsync(_base + "/t/T/pull", "{}")).Text, StringComparison.Ordinal);
        Assert.Empty(receiver.Came);
    }

    [Fact]
    public async Task Another_url_takes_the_place_of_the_first()
    {
        await using var first = await PushReceiver.StartAsync();
        await using var second = await PushReceiver.StartAsync();
        await SubscribeAsync(first.Url);

        await SubscribeAsync(second.Url);
        await ScheduleAsync("a", "1", delay: 0);

        await second.CameAsync(1);
        Assert.Empty(first.Came);
    }

    [Fact]
    public async Task A_stopped_topic_is_not_pushed_until_it_is_started()
    {
        await using var receiver = await PushReceiver.StartAsync();
        await _server.PostAsync("/control/T", "status=stop");
        await SubscribeAsync(receiver.Url);
        await ScheduleAsync("a", "1", delay: 0);
        Assert.Empty(receiver.Came);

        await _server.PostAsync("/control/T", "status=start");
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return receiver.Came.Count == 1;
            },
            "the job has come");
    }

    [Fact]
    public async Task The_address_is_checked_again_when_it_is_connected_to()
    {
        await using var receiver = await PushReceiver.StartAsync();
        await using var strict = await PushQueueServer.StartAsync(
            options =>
            {
                options.Redisched.PushAllowed.Clear();
                options.Redisched.PushAllowed.Add("192.0.2.0/24");
            },
            _time);

        // As after a restart with a shorter list.
        await strict.Services.GetRequiredService<IMessageBroker>().UpdateSettingsAsync(
            QueueName.Parse("T"), new QueueSettingsPatch { PushUrl = receiver.Url.AbsoluteUri });
        await strict.PostAsync("/redisched/schedule/T", """{"id":"a","contents":1,"delay":0}""");

        await Eventually.TrueAsync(
            async () => (await strict.GetAsync("/j/T")).Json.GetProperty("delayed").GetInt32() == 1, "the job is put back");
        Assert.Empty(receiver.Came);
    }

    [Theory]
    [InlineData("/q/T")]
    [InlineData("/redisched/schedule/T")]
    public async Task A_topic_that_is_pushed_into_its_own_server_does_not_circle(string path)
    {
        await SubscribeAsync(new Uri(_server.Address, path));

        await ScheduleAsync("a", "1", delay: 0);

        await Eventually.TrueAsync(
            async () => (await _server.GetAsync("/j/T")).Json.GetProperty("delayed").GetInt32() == 1, "the job is put back");
        Assert.Equal(1, (await _server.GetAsync("/j/T")).Json.GetProperty("counters").GetProperty("put").GetInt32());
    }

    [Fact]
    public async Task The_counters_of_the_queue_tell_where_it_is_pushed_to_but_neither_path_nor_query()
    {
        await using var receiver = await PushReceiver.StartAsync();

        await SubscribeAsync(new Uri(receiver.Url, "?token=secret"));

        Assert.Equal(
            receiver.Url.GetLeftPart(UriPartial.Authority), (await _server.GetAsync("/j/T")).Json.GetProperty("pushUrl").GetString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Every_job_is_received_at_least_once_however_its_receiver_fails(int seed)
    {
        var received = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var random = new Random(seed);
        await using var receiver = await PushReceiver.StartAsync(async (context, id) =>
        {
            int dice;
            lock (random)
            {
                dice = random.Next(10);
            }

            switch (dice)
            {
                case < 4:
                    context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                    break;
                case 4:
                    context.Response.Redirect("/elsewhere");
                    break;
                case 5:
                    context.Abort();
                    break;
                case 6:
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
                    break;
                default:
                    received.AddOrUpdate(id, 1, static (_, count) => count + 1);
                    break;
            }
        });
        await _server.SendAsync("PATCH", "/q/T/settings", """{"ttr":"10m"}""");
        await SubscribeAsync(receiver.Url);
        for (var i = 0; i < 40; i++)
        {
            await ScheduleAsync($"job {i}", "1", delay: i % 7);
        }

        await Eventually.TrueAsync(
            async () =>
            {
                _time.Advance(TimeSpan.FromSeconds(10));
                var queue = (await _server.GetAsync("/j/T")).Json;
                return queue.GetProperty("ready").GetInt32() + queue.GetProperty("delayed").GetInt32() + queue.GetProperty("leased")
                    .GetInt32() == 0;
            },
            "all jobs are gone");

        Assert.Equal(
            Enumerable.Range(0, 40).Select(i => $"job {i}").Order(StringComparer.Ordinal), received.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(404, (await _server.GetAsync("/j/T.dead")).Status);
    }

    [Fact]
    public async Task A_stop_of_the_server_gives_back_what_is_on_its_way_without_counting_it()
    {
        await using var receiver = await PushReceiver.StartAsync(
            (context, _) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        await SubscribeAsync(receiver.Url);
        await ScheduleAsync("a", "1", delay: 0);
        await receiver.CameAsync(1);

        await _server.StopAsync().WithTimeout();

        var job = await _server.Services.GetRequiredService<IMessageStore>().FindAsync(QueueName.Parse("T"), MessageId.Parse("a"));
        Assert.Equal((MessageState.Ready, 0), (job!.State, job.Attempt));
    }

    private async Task SubscribeAsync(Uri url) =>
        Assert.Equal(
            Success, (await _server.PostAsync(_base + "/subscribe/T", $$"""{"url":"{{url.AbsoluteUri}}"}""", "application/json")).Text);

    private async Task ScheduleAsync(string id, string contents, int delay) => Assert.Equal(
        Success,
        (await _server.PostAsync(
            _base + "/schedule/T", $$"""{"id":"{{id}}","contents":{{contents}},"delay":{{delay}}}""", "application/json")).Text);

    private Task GoneAsync(string id) =>
        Eventually.TrueAsync(async () => (await _server.GetAsync($"{_base}/t/T/jobs/{id}")).Status == 404, $"{id} is released");

    /// <summary>Waits until the job is queued again, for so long from now.</summary>
    private Task QueuedInAsync(string id, TimeSpan delay) => Eventually.TrueAsync(
        async () =>
        {
            var job = (await _server.GetAsync($"{_base}/t/T/jobs/{id}")).Json;
            return job.GetProperty("state").GetString() == "queued"
                && job.GetProperty("expiration").GetInt64() == (_time.GetUtcNow() + delay).ToUnixTimeMilliseconds();
        },
        $"{id} is queued again in {delay}");
}

public sealed class RedischedPushTests : RedischedPushContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.UnderItsPrefixAsync("redisched", time);
}

public sealed class RedischedPushOverRedisTests(SharedRedis redis) : RedischedPushContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.OverRedisAsync("redisched", time, redis);
}
