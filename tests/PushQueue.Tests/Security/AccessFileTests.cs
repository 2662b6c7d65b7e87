using System.Text;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Security;

public sealed class AccessFileTests
{
    private const string Hash = "sha256:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    [Fact]
    public void What_key_new_prints_can_be_read_and_fits_its_key_alone()
    {
        Assert.Null(
            AccessKeyFactory.Create(
                "web",
                ["orders.*", "news"],
                ["put", "listen"],
                "2h",
                new TestTimeProvider(),
                out var text,
                out var entry));
        Assert.Null(AccessKeyFactory.Create("web", [], ["put"], null, new TestTimeProvider(), out var other, out _));

        var key = Assert.Single(Read($$"""{"keys":[{{entry}}]}"""));

        Assert.Equal("web", key.Name);
        Assert.Equal(new TestTimeProvider().GetUtcNow() + TimeSpan.FromHours(2), key.Expires);
        Assert.True(key.Is(text));
        Assert.False(key.Is(other));
        Assert.False(key.Is(text[..^1] + (text[^1] == 'A' ? 'B' : 'A')));
        Assert.DoesNotContain(text[14..], entry, StringComparison.Ordinal);
        var caller = new Caller(key, new KeyMeter(new TestTimeProvider()));
        Assert.True(caller.May(Permissions.Put, QueueName.Parse("orders.eu")));
        Assert.True(caller.May(Permissions.Listen, QueueName.Parse("news")));
        Assert.False(caller.May(Permissions.Take | Permissions.Manage, QueueName.Parse("news")));
        Assert.False(caller.May(Permissions.Any, QueueName.Parse("orders")));
        Assert.False(caller.MayEverywhere(Permissions.Put));
    }

    [Theory]
    [InlineData("--can", "fly", null)]
    [InlineData("--expires", "put", "tomorrow")]
    public void A_key_that_cannot_be_made_is_refused_with_a_sentence(string named, string can, string? expires)
    {
        var whyNot = AccessKeyFactory.Create("web", [], [can], expires, TimeProvider.System, out var key, out var entry);

        Assert.Contains(named, whyNot, StringComparison.Ordinal);
        Assert.Equal(("", ""), (key, entry));
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("{", "JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"keys":{}}""", "'keys'")]
    [InlineData("""{"keys":[],"users":[]}""", "'users'")]
    [InlineData("""{"keys":[{"id":"nope","hash":"HASH","grants":[]}]}""", "'nope'")]
    [InlineData("""{"keys":[{"id":"0123456789","hash":"md5:x","grants":[]}]}""", "0123456789 has no hash")]
    [InlineData("""{"keys":[{"id":"0123456789","hash":"HASH"}]}""", "'grants'")]
    [InlineData("""{"keys":[{"id":"0123456789","hash":"HASH","grants":[{"queues":["*"],"can":["fly"]}]}]}""", "'fly'")]
    [InlineData("""{"keys":[{"id":"0123456789","hash":"HASH","grants":[{"queues":"*","can":["put"]}]}]}""", "'queues'")]
    [InlineData("""{"keys":[{"id":"0123456789","hash":"HASH","grants":[],"expire":"2030-01-01"}]}""", "'expire'")]
    [InlineData("""{"keys":[{"id":"0123456789","hash":"HASH","grants":[],"expires":"soon"}]}""", "soon")]
    [InlineData("""{"keys":[{"id":"0123456789","hash":"HASH","grants":[],"limits":{"connections":0}}]}""", "connections")]
    [InlineData("""{"keys":[{"id":"0123456789","hash":"HASH","grants":[]},{"id":"0123456789","hash":"HASH","grants":[]}]}""", "same id")]
    public void A_wrong_file_is_refused_and_the_sentence_says_where(string json, string said) =>
        Assert.Contains(
            said,
            Assert.Throws<AccessFileException>(() => Read(json.Replace("HASH", Hash, StringComparison.Ordinal))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("*", "anything", true)]
    [InlineData("orders", "orders", true)]
    [InlineData("orders", "Orders", false)]
    [InlineData("orders", "orders2", false)]
    [InlineData("orders.*", "orders.", true)]
    [InlineData("orders.*", "orders.eu.de", true)]
    [InlineData("orders.*", "orders", false)]
    [InlineData("*.eu", "orders.eu", true)]
    [InlineData("*.eu", "orders.eu.de", false)]
    [InlineData("a*b*c", "a-b-b-c", true)]
    [InlineData("a*b*c", "a-c-b", false)]
    [InlineData("**", "x", true)]
    [InlineData("", "x", false)]
    public void A_star_stands_for_any_characters_and_nothing_else_does(string pattern, string name, bool fits) =>
        Assert.Equal(fits, NamePattern.Fits(pattern, name));

    [Fact]
    public void A_pattern_of_many_stars_costs_little()
    {
        var pattern = string.Concat(Enumerable.Repeat("a*", 100)) + "b";

        Assert.False(NamePattern.Fits(pattern, new string('a', 255)));
    }

    [Fact]
    public void Dead_letters_are_a_queue_of_their_own_but_belong_to_who_manages_the_other()
    {
        var dead = QueueName.Parse("orders.dead");
        var taker = new AccessGrant(["orders"], Permissions.Take);
        var manager = new AccessGrant(["orders"], Permissions.Manage);

        Assert.False(taker.Allows(Permissions.Take, dead));
        Assert.True(new AccessGrant(["orders*"], Permissions.Take).Allows(Permissions.Take, dead));
        Assert.True(manager.Allows(Permissions.Take, dead));
        Assert.True(manager.Allows(Permissions.Manage, dead));
        Assert.False(manager.Allows(Permissions.Put, dead));
        Assert.False(manager.Allows(Permissions.Take, QueueName.Parse("orders")));
    }

    [Fact]
    public void A_rate_holds_on_average_whatever_the_size_of_a_request()
    {
        var time = new TestTimeProvider();
        var meter = new KeyMeter(time);
        var limits = new KeyLimits(MessagesPerSecond: 10);

        Assert.True(meter.TrySpend(limits, 10, 0, out _));
        Assert.False(meter.TrySpend(limits, 1, 0, out _));
        time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.True(meter.TrySpend(limits, 1, 0, out _));
        meter.Spend(limits, 24, 0);
        Assert.False(meter.TrySpend(limits, 1, 0, out var wait));
        Assert.InRange(wait, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2.1));
        time.Advance(wait);
        Assert.True(meter.TrySpend(limits, 1, 0, out _));
    }

    private static IReadOnlyList<AccessKey> Read(string json) => AccessFile.Read(Encoding.UTF8.GetBytes(json));
}
