using PushQueue.Queues;
using Xunit;

namespace PushQueue.Tests.Queues;

public sealed class MessageFilterTests
{
    [Theory]
    [InlineData("tenant=7", true)]
    [InlineData("TENANT=7", true)]
    [InlineData("tenant=8", false)]
    [InlineData("tenant=7 ", false)]
    [InlineData("tenant=8|7", true)]
    [InlineData("tenant=8|9", false)]
    [InlineData("tenant", true)]
    [InlineData("tenant=", false)]
    [InlineData("empty=", true)]
    [InlineData("empty=|x", true)]
    [InlineData("empty", true)]
    [InlineData("missing", false)]
    [InlineData("missing=", false)]
    [InlineData("text=a=b", true)]
    [InlineData("region=Köln", true)]
    [InlineData("region=köln", false)]
    [InlineData("tenant=7&region=Köln|Bonn", true)]
    [InlineData("tenant=7&region=Bonn", false)]
    [InlineData("tenant&missing", false)]
    public void All_conditions_must_hold(string conditions, bool matches) => Assert.Equal(
        matches, Filter(conditions.Split('&')).Matches(Headers(("tenant", "7"), ("empty", ""), ("text", "a=b"), ("region", "Köln"))));

    [Theory]
    [InlineData("tenant=7")]
    [InlineData("tenant")]
    [InlineData("tenant=")]
    public void A_message_without_headers_matches_no_filter(string condition) => Assert.False(Filter(condition).Matches(null));

    [Theory]
    [InlineData("")]
    [InlineData("=7")]
    [InlineData("a b=7")]
    [InlineData("tenant:7")]
    [InlineData("*")]
    [InlineData("a=x\ny")]
    [InlineData("a=\0")]
    public void What_is_no_condition_is_refused(string condition)
    {
        Assert.False(MessageFilter.TryParse([condition], out var filter, out var whyNot));
        Assert.Null(filter);
        Assert.Contains("where", whyNot, StringComparison.Ordinal);
        Assert.DoesNotContain(whyNot, char.IsControl);
    }

    [Fact]
    public void A_header_is_named_once()
    {
        Assert.False(MessageFilter.TryParse(["a=1", "A=2"], out _, out var whyNot));
        Assert.Equal("'where' names the header 'a' twice; write a=7|8 for any of several values.", whyNot);
    }

    [Fact]
    public void A_filter_is_bounded()
    {
        Assert.True(MessageFilter.TryParse(Enumerable.Range(0, 32).Select(static i => $"h{i}"), out _, out _));
        Assert.False(MessageFilter.TryParse(Enumerable.Range(0, 33).Select(static i => $"h{i}"), out _, out var tooMany));
        Assert.False(MessageFilter.TryParse(["a=" + new string('v', 4095)], out _, out var tooLong));
        Assert.Equal("A filter may have at most 32 conditions.", tooMany);
        Assert.Equal("The conditions of a filter may have at most 4096 characters together.", tooLong);
    }

    [Fact]
    public void Filters_are_equal_whatever_the_order_and_the_case_of_the_names()
    {
        var one = Filter("b=2", "A=1");
        var other = Filter("a=1", "B=2");

        Assert.Equal(one, other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
        Assert.Equal(["a=1", "b=2"], one.Conditions);
        Assert.NotEqual(one, Filter("a=1", "b=3"));
        Assert.NotEqual(Filter("a"), Filter("a="));
    }

    [Fact]
    public void No_condition_is_no_filter()
    {
        Assert.True(MessageFilter.TryParse([], out var filter, out _));
        Assert.Null(filter);
    }

    private static MessageFilter Filter(params string[] conditions)
    {
        Assert.True(MessageFilter.TryParse(conditions, out var filter, out var whyNot), whyNot);
        return filter!;
    }

    private static MessageHeaders Headers(params (string Name, string Value)[] headers)
    {
        var builder = new MessageHeadersBuilder();
        foreach (var (name, value) in headers)
        {
            Assert.Null(builder.Add(name, value));
        }

        return builder.Build()!;
    }
}
