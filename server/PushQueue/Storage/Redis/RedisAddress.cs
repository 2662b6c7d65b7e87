using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>Redis's address and options as users write them.</summary>
internal static class RedisAddress
{
    /// <summary>One sentence that says what is wrong with it; null where it can be used.</summary>
    public static string? WhyNot(string text)
    {
        try
        {
            return ConfigurationOptions.Parse(text).EndPoints.Count == 0 ? $"'{Shown(text)}' names no server; give HOST:PORT, several separated by commas." : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            return $"'{Shown(text)}' is no address of Redis ({e.Message.TrimEnd('.')}); give HOST:PORT, several separated by commas, and options such as password=.";
        }
    }

    /// <summary>The servers alone: what may be shown and logged.</summary>
    public static string Shown(string text) => string.Join(',', text.Split(',', StringSplitOptions.TrimEntries).Where(static part => !part.Contains('=', StringComparison.Ordinal)));
}
