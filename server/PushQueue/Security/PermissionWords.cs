namespace PushQueue.Security;

/// <summary>The permissions as words, in the order in which they are listed.</summary>
internal static class PermissionWords
{
    public static readonly (Permissions Bit, string Word)[] All =
    [
        (Permissions.Put, "put"), (Permissions.Take, "take"), (Permissions.Listen, "listen"),
        (Permissions.Manage, "manage"), (Permissions.Stats, "stats"),
    ];

    /// <summary>The words of the permissions that hold.</summary>
    public static string[] Of(Func<Permissions, bool> holds) => [.. All.Where(word => holds(word.Bit)).Select(static word => word.Word)];
}
