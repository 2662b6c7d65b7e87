using System.Text.RegularExpressions;
using PushQueue.Queues;
using PushQueue.Storage.Redis;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>The rules of the script files: a head that states inputs and outputs, and keys of one hash tag.</summary>
public sealed partial class RedisScriptTests(SharedRedis redis)
{
    public static TheoryData<string> Names => [.. Enum.GetNames<RedisScript>(), "Incarnate", "CheckRights"];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_head_says_what_the_script_may_do_what_it_uses_and_what_goes_in_and_out(string name)
    {
        var text = RedisScripts.Read(name);

        Assert.Matches(Head(), text);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Keys_are_made_of_those_that_were_given(string name)
    {
        var text = RedisScripts.Read(name);

        Assert.DoesNotMatch("""['"]pq|\{[a-z]+\}:""", text);
    }

    [Fact]
    public void Every_key_that_a_script_makes_of_its_queues_is_declared_to_a_cluster()
    {
        var made = typeof(RedisScripts).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".lua", StringComparison.Ordinal))
            .SelectMany(name => Suffix().Matches(RedisScripts.Read(Path.GetFileNameWithoutExtension(name))))
            .Select(match => match.Value.Trim('\''))
            .Distinct();

        // The registry of subscriptions is declared by itself.
        Assert.Equal([.. RedisKeys.Suffixes.Append(":subscriptions").Order()], made.Order());
    }

    [Theory]
    [InlineData("orders", "pq:{orders}:0", "pq:{orders}:1:ready")]
    [InlineData("orders.dead", "pq:{orders}:1", "pq:{orders}:0:ready")]
    [InlineData("orders.dead.dead", "pq:{orders}:2", "pq:{orders}:1:ready")]
    public void The_keys_of_a_queue_are_those_of_its_neighbour_too_and_the_hash_is_first(string name, string hash, string neighbours)
    {
        var keys = new RedisKeys("pq", 0).All(QueueName.Parse(name));

        Assert.Equal(hash, keys[0].ToString());
        Assert.Contains(neighbours, keys.Select(key => key.ToString()));
        Assert.Equal(2 * (1 + RedisKeys.Suffixes.Count), keys.Distinct().Count());
    }

    [Fact]
    public async Task A_server_that_was_master_before_is_another_one_when_it_comes_back()
    {
        await redis.OptionsAsync();
        var names = new List<string>();
        foreach (var (name, run) in new[] { ("first", "a"), ("second", "b"), ("third", "a"), ("fourth", "a") })
        {
            names.Add(
                (await redis.CommandAsync("EVAL", RedisScripts.Read("Incarnate"), "1", "failback", name, "0", "0", run)).Split("\r\n")[1]);
        }

        Assert.Equal(["first", "second", "third", "third"], names);
    }

    [Fact]
    public void Every_script_file_is_used()
    {
        var files = typeof(RedisScripts).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".lua", StringComparison.Ordinal) && !name.StartsWith("Part.", StringComparison.Ordinal))
            .Select(Path.GetFileNameWithoutExtension);

        Assert.Equal(Names.Select(row => row.Data).Order(), files.Order());
    }

    [Fact]
    public void Every_command_that_a_script_runs_on_a_key_is_among_the_checked_rights()
    {
        var run = typeof(RedisScripts).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".lua", StringComparison.Ordinal))
            .SelectMany(name => Command().Matches(RedisScripts.Read(Path.GetFileNameWithoutExtension(name))))
            .Select(match => match.Groups["name"].Value)
            .Except(["PUBLISH", "TIME"])
            .Distinct()
            .Order();
        var checkedCommands = CheckedCommand().Matches(RedisScripts.Read("CheckRights").Split("local function")[0])
            .Select(match => match.Groups["name"].Value)
            .Order()
            .ToList();

        Assert.Equal(run, checkedCommands);
        Assert.Equal(RedisRights.CommandsOnKeys, checkedCommands.Count);
    }

    [Fact]
    public void Scripts_name_every_kind_of_notification_and_no_other()
    {
        var texts = typeof(RedisScripts).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".lua", StringComparison.Ordinal))
            .Select(name => RedisScripts.Read(Path.GetFileNameWithoutExtension(name)))
            .ToList();
        var named = texts.SelectMany(static text => Notification().Matches(text))
            .Select(static match => match.Groups["name"].Value)
            .Distinct();

        Assert.Equal(Enum.GetNames<RedisNotification>().Order(), named.Order());
        Assert.Equal(
            Enum.GetValues<RedisNotification>().Length,
            Enum.GetValues<RedisNotification>().Select(static kind => (byte)kind).Distinct().Count());
        Assert.All(new RedisScripts("a", "channel").Texts, static text => Assert.DoesNotMatch("""notify\('[^']{2,}'""", text));
    }

    [Fact]
    public void Another_incarnation_has_other_scripts()
    {
        var (first, second) = (new RedisScripts("a", "bell"), new RedisScripts("b", "bell"));

        Assert.NotEqual(first.HashOf(RedisScript.Put), second.HashOf(RedisScript.Put));
    }

    [GeneratedRegex(
        @"\A#!lua( flags=allow-oom)?\n-- uses:[^\n]*\n(-- [^\n]+\n)+-- KEYS: [^\n]+\n(-- [^\n]+\n)*-- Returns: [^\n]+\n",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Head();

    [
        GeneratedRegex(
            @"\bnotify\('(?<name>[^']+)'",
            RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
            matchTimeoutMilliseconds: 1000)
    ]
    private static partial Regex Notification();

    [
        GeneratedRegex(
            @"\bcall\('(?<name>[A-Z]+)'",
            RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
            matchTimeoutMilliseconds: 1000)
    ]
    private static partial Regex Command();

    [
        GeneratedRegex(
            @"'(?<name>[A-Z]+)[^']*'",
            RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
            matchTimeoutMilliseconds: 1000)
    ]
    private static partial Regex CheckedCommand();

    /// <summary>The letters that begin a suffix in quotes; digits (as in the number of a dead-letter queue) do not count.</summary>
    [GeneratedRegex("':[a-z]+'", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Suffix();
}
