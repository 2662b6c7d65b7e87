using System.Net;
using PushQueue.Dialects.Redisched;
using Xunit;

namespace PushQueue.Tests.Dialects;

public sealed class PushRuleTests
{
    [Theory]
    [InlineData("loopback", "127.0.0.1", true)]
    [InlineData("loopback", "127.8.9.10", true)]
    [InlineData("loopback", "::1", true)]
    [InlineData("loopback", "::ffff:127.0.0.1", true)]
    [InlineData("loopback", "0.0.0.0", false)]
    [InlineData("loopback", "192.168.0.1", false)]
    [InlineData("loopback", "::ffff:10.0.0.1", false)]
    [InlineData("10.0.0.0/8", "10.200.3.4", true)]
    [InlineData("10.0.0.0/8", "::ffff:10.200.3.4", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    [InlineData("2001:db8::/32", "2001:db8::5", true)]
    [InlineData("2001:db8::/32", "2001:db9::5", false)]
    [InlineData("*", "203.0.113.9", true)]
    [InlineData("hooks.example", "127.0.0.1", false)]
    public void A_rule_allows_addresses(string rule, string address, bool allowed)
    {
        Assert.True(PushRule.TryParse(rule, out var parsed));

        Assert.Equal(allowed, parsed.AllowsAddress(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("hooks.example", "Hooks.Example", true)]
    [InlineData("hooks.example", "evil.hooks.example", false)]
    [InlineData("*", "anything", true)]
    [InlineData("loopback", "localhost", false)]
    public void A_rule_allows_names(string rule, string host, bool allowed)
    {
        Assert.True(PushRule.TryParse(rule, out var parsed));

        Assert.Equal(allowed, parsed.AllowsName(host));
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.0/33")]
    [InlineData("http://hooks.example")]
    [InlineData("a b")]
    public void What_is_no_rule_is_refused(string text)
    {
        Assert.False(PushRule.TryParse(text, out _));

        var options = new PushQueueOptions();
        options.Redisched.PushAllowed.Add(text);
        Assert.Contains("--push-allow", Assert.Single(options.Validate()), StringComparison.Ordinal);
    }
}
