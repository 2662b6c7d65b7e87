using System.Globalization;
using System.Reflection;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Documentation;

/// <summary>docs/SECURITY.md shows the table of limits as the code has it.</summary>
public sealed class LimitsPageTests
{
    [Fact]
    public void The_page_lists_each_limit_with_its_name_its_default_and_its_meaning()
    {
        var options = new PushQueueOptions();
        var documented = Page().Split('\n')
            .Where(static line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(static line => line.Split(" | "))
            .Select(static cells => (Name: cells[0].Trim('|', ' ', '`'), Default: cells[1], Meaning: cells[2].TrimEnd('|', ' ')));

        var known = PushQueueLimit.All.Select(static limit => (limit.Name, limit.Meaning));

        Assert.Equal(known, documented.Select(static row => (row.Name, row.Meaning)));
        Assert.All(documented.Zip(PushQueueLimit.All), pair => Assert.Equal(pair.Second.Get(options), Number(pair.First.Default)));
    }

    [Fact]
    public void Every_tag_of_the_counter_of_refusals_is_a_limit_of_the_table_or_named_by_the_page()
    {
        var page = Page();

        var tags = typeof(LimitNames).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(static field => (string)field.GetValue(null)!);

        Assert.All(tags, tag => Assert.True(
            PushQueueLimit.All.Any(limit => limit.Name == tag) || page.Contains($"counted as `{tag}`", StringComparison.Ordinal)
                || page.Contains($"and `{tag}`", StringComparison.Ordinal),
            tag));
    }

    [Fact]
    public void A_value_beyond_the_range_of_a_limit_is_refused_with_its_name_and_its_range()
    {
        Assert.All(PushQueueLimit.All, static limit =>
        {
            var options = new PushQueueOptions();
            limit.Set(options, limit.Min - 1);

            var error = Assert.Single(options.Validate());

            Assert.StartsWith($"{limit.Option} (--limit {limit.Name}) is {limit.Min - 1}; use {limit.Min} to ", error, StringComparison.Ordinal);
            Assert.Equal(limit.Min - 1, limit.Get(options));
        });
    }

    private static string Page() =>
        File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "SECURITY.md")).Split("## Limits")[1];

    /// <summary>The number with which the cell begins; null if the server derives the limit.</summary>
    private static long? Number(string cell) =>
        long.TryParse(cell.Split(';')[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var number) ? number : null;
}
