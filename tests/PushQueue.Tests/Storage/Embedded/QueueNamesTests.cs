using PushQueue.Storage.Embedded;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

public sealed class QueueNamesTests
{
    [Fact]
    public void Pages_follow_one_another_in_ordinal_order_whatever_comes_and_goes_between()
    {
        var names = new QueueNames();
        foreach (var name in (string[])["b", "a", "Z", "\u00e4", "a.dead", "gone"])
        {
            names.Add(name);
        }

        names.Remove("gone");

        Assert.Equal(["Z", "a", "a.dead"], names.Page(after: null, 3, out var total));
        Assert.Equal(["b", "\u00e4"], names.Page("a.dead", 3, out _));
        Assert.Equal(["b", "\u00e4"], names.Page("a.missing", 3, out _));
        Assert.Equal(["Z"], names.Page("A", 1, out _));
        Assert.Empty(names.Page("\u00e4", 3, out _));
        Assert.Empty(names.Page("\u00ff", 3, out _));
        Assert.Empty(names.Page(after: null, 0, out _));
        Assert.Equal(5, total);
        Assert.Empty(new QueueNames().Page("a", 3, out _));
    }
}
