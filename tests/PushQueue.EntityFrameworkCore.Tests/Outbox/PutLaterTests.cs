using Microsoft.EntityFrameworkCore;
using PushQueue.Client;
using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Outbox;

/// <summary>Messages that the server would refuse are refused where the program puts them.</summary>
public sealed class PutLaterTests : IAsyncLifetime
{
    private ITestDatabase _database = null!;

    public static TheoryData<string> BadQueues => ["", ".", "..", "a/b", "a\nb", new string('q', 256), new string('é', 128)];

    public static TheoryData<string> BadOptions =>
    [
        "id empty", "id long", "id control", "key empty", "unique long", "delay", "delay and at", "at", "ttl", "priority", "attempts",
        "policy", "wait", "header name", "header twice", "header value", "header long", "headers",
    ];

    public async ValueTask InitializeAsync() => _database = await SqliteDatabase.NewAsync();

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [MemberData(nameof(BadQueues))]
    public void A_bad_queue_name_is_refused(string queue)
    {
        using var db = _database.Open();

        var error = Assert.Throws<ArgumentException>(() => db.PutLater(queue, "1"));

        Assert.Contains("queue name", error.Message, StringComparison.Ordinal);
        Assert.Empty(db.ChangeTracker.Entries());
    }

    /// <summary>Not a row above: the test runner cannot pass half a surrogate pair on.</summary>
    [Fact]
    public void A_queue_name_with_half_a_surrogate_pair_is_refused() => A_bad_queue_name_is_refused("a\ud800");

    [Theory]
    [MemberData(nameof(BadOptions))]
    public void A_bad_option_is_refused(string option)
    {
        using var db = _database.Open();

        Assert.Throws<ArgumentException>(() => db.PutLater("orders", "1", Bad(option)));

        Assert.Empty(db.ChangeTracker.Entries());
    }

    [Fact]
    public void A_body_that_cannot_be_serialized_is_refused()
    {
        using var db = _database.Open();
        var circle = new Circle();
        circle.Next = circle;

        Assert.Throws<System.Text.Json.JsonException>(() => db.PutLater("orders", circle));
        Assert.Throws<NotSupportedException>(() => db.PutLater("orders", typeof(string)));
        Assert.Throws<ArgumentException>(() => db.PutLater("orders", new PutMessage("{oops"u8.ToArray(), "application/json")));
        Assert.Throws<ArgumentException>(() => db.PutLater("orders", new PutMessage("1"u8.ToArray(), "text/plain\n")));
        Assert.Throws<ArgumentException>(() => db.PutLater("orders", new PutMessage("1"u8.ToArray(), "")));

        Assert.Empty(db.ChangeTracker.Entries());
    }

    [Fact]
    public void A_context_without_an_outbox_says_so()
    {
        using var db = new PlainDb(new DbContextOptionsBuilder<PlainDb>().UseSqlite("Data Source=:memory:").Options);

        var error = Assert.Throws<InvalidOperationException>(() => db.PutLater("orders", "1"));

        Assert.Contains("modelBuilder.AddPushQueueOutbox()", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_without_an_id_gets_one_of_its_own()
    {
        using var db = _database.Open();

        var ids = Enumerable.Range(0, 1000).Select(_ => db.PutLater("orders", "1")).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(1000, ids.Count);
        Assert.Equal("mine", db.PutLater("orders", "1", new PutOptions { Id = "mine" }));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("1.5s", 1500)]
    [InlineData("10m", 600_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("7d", 604_800_000)]
    public void Durations_of_settings_are_read(string text, long milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), DedupWindows.Parse(text));

    private static PutOptions Bad(string option) => option switch
    {
        "id empty" => new PutOptions { Id = "" },
        "id long" => new PutOptions { Id = new string('i', 256) },
        "id control" => new PutOptions { Id = "a\0b" },
        "key empty" => new PutOptions { Key = "" },
        "unique long" => new PutOptions { UniqueKey = new string('é', 128) },
        "delay" => new PutOptions { Delay = TimeSpan.FromSeconds(-1) },
        "delay and at" => new PutOptions { Delay = TimeSpan.FromSeconds(1), At = DateTimeOffset.UnixEpoch },
        "at" => new PutOptions { At = DateTimeOffset.MaxValue },
        "ttl" => new PutOptions { TimeToLive = TimeSpan.Zero },
        "priority" => new PutOptions { Priority = 10 },
        "attempts" => new PutOptions { MaxAttempts = 0 },
        "policy" => new PutOptions { Policy = "random" },
        "wait" => new PutOptions { WaitForAck = TimeSpan.FromSeconds(1) },
        "header name" => Headers(("a b", "1")),
        "header twice" => Headers(("a", "1"), ("A", "2")),
        "header value" => Headers(("a", "1\n2")),
        "header long" => Headers(("a", new string('v', 4096))),
        "headers" => Headers([.. Enumerable.Range(0, 33).Select(static i => ($"h{i}", ""))]),
        _ => throw new ArgumentOutOfRangeException(nameof(option)),
    };

    private static PutOptions Headers(params (string Name, string Value)[] headers) => new()
    {
        Headers = headers.ToDictionary(static header => header.Name, static header => header.Value, StringComparer.Ordinal),
    };

    private sealed class Circle
    {
        public Circle? Next { get; set; }
    }

    private sealed class PlainDb(DbContextOptions<PlainDb> options) : DbContext(options);
}
