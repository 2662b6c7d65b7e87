using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The texts of all scripts for one incarnation of what Redis holds. The incarnation stands in each text, so that a script that a node of
/// an earlier incarnation calls does not exist: this is how a node learns of a restart before it can change anything.
/// </summary>
internal sealed partial class RedisScripts
{
    private readonly string[] _texts;
    private readonly byte[][] _hashes;

    /// <param name="incarnation">The incarnation.</param>
    /// <param name="channel">The channel of notifications.</param>
    /// <param name="subscriptions">
    /// The key of the registry of subscriptions; null on a Redis Cluster, where each hash tag has its own.
    /// </param>
    public RedisScripts(string incarnation, string channel, string? subscriptions = null)
    {
        Incarnation = incarnation;
        var names = Enum.GetNames<RedisScript>();
        _texts = Array.ConvertAll(names, name => Compose(name, incarnation, channel, subscriptions));
        _hashes = Array.ConvertAll(_texts, Hash);
    }

    public string Incarnation { get; }

    public IReadOnlyList<string> Texts => _texts;

    public byte[] HashOf(RedisScript script) => _hashes[(int)script];

    public static string Read(string name)
    {
        using var stream = typeof(RedisScripts).Assembly.GetManifestResourceStream($"{name}.lua")
            ?? throw new InvalidOperationException($"The script {name}.lua is not in the assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>First line (what the script may do), constants, the parts that its "uses:" line names, then the script.</summary>
    private static string Compose(string name, string incarnation, string channel, string? subscriptions)
    {
        var script = Read(name);
        var lines = script.Split('\n', 3);
        var parts = lines[1]["-- uses:".Length..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var defaults = QueueSettings.Default;
        var text = new StringBuilder(lines[0]).Append('\n').Append(
            CultureInfo.InvariantCulture,
            $"""
            local INCARNATION, CHANNEL = '{incarnation}', '{channel}'
            local READY, FINISHED = '{(char)RedisNotification.Ready}', {(byte)RedisNotification.Finished}
            local SUBSCRIPTIONS = {(subscriptions is null ? "false" : $"'{subscriptions}'")}
            local MOST_SUBSCRIPTIONS, MOST_COPIES = {QueueSubscriptions.TotalMax}, {QueueSubscriptions.CopiesMax}
            local DEFAULT_ATTEMPTS, DEFAULT_HISTORY = {defaults.MaxAttempts}, {defaults.HistoryMessages}
            local DEFAULT_HISTORY_AGE, DEFAULT_KEY_IN_FLIGHT = {defaults.HistoryAge.Ticks}, {defaults.KeyInFlight}

            """);
        foreach (var part in parts)
        {
            text.Append(Read($"Part.{part}")).Append('\n');
        }

        return WithLetters(text.Append(lines[2]).ToString());
    }

    /// <summary>Puts the letters of notifications in the place of their names.</summary>
    private static string WithLetters(string text) => NotificationName().Replace(
        text, static match => $"notify('{(char)Enum.Parse<RedisNotification>(match.Groups["name"].Value)}'");

    [GeneratedRegex(
        "notify\\('(?<name>[A-Za-z]+)'", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotificationName();

    /// <summary>Redis names scripts by their SHA-1; nothing is kept secret by it.</summary>
    private static byte[] Hash(string text) =>
#pragma warning disable CA5350 // what Redis calls a script by
        SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
}
