using System.Text;
using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

/// <summary>RestMQ's API, row by row, against the whole application. A subclass says over which store and where it is mounted.</summary>
public abstract partial class RestMqContract : IAsyncLifetime
{
    private const string Form = "application/x-www-form-urlencoded";

    private readonly TestTimeProvider _time = new();
    private PushQueueServer _server = null!;
    private string _base = "";

    public async ValueTask InitializeAsync() => (_server, _base) = await StartAsync(_time);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private protected abstract Task<DialectPlace> StartAsync(TimeProvider time);

    private Task<Answer> GetAsync(string path) => _server.SendAsync("GET", _base + path);

    private Task<Answer> PostAsync(string path, string body, string? contentType = Form) =>
        _server.SendAsync("POST", _base + path, body, contentType);

    private async Task PutAsync(string queue, params string[] values)
    {
        foreach (var value in values)
        {
            Assert.Equal(200, (await PostAsync($"/q/{queue}", $"value={Uri.EscapeDataString(value)}")).Status);
        }
    }

    private async Task<long> LengthAsync(string queue) => (await GetAsync($"/stats/{queue}")).Json.GetProperty("len").GetInt64();

    private static (int, string, string) Whole(Answer answer) => (answer.Status, answer.ContentType, answer.Text);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}

public sealed class RestMqUnderItsPrefixTests : RestMqContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.UnderItsPrefixAsync("restmq", time);
}

public sealed class RestMqAtItsOwnPortTests : RestMqContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.AtItsOwnPortAsync("restmq", time);
}

public sealed class RestMqOverRedisTests(SharedRedis redis) : RestMqContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.OverRedisAsync("restmq", time, redis);
}
