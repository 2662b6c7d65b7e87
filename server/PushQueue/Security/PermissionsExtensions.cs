namespace PushQueue.Security;

internal static class PermissionsExtensions
{
    public static bool HasAny(this Permissions permissions, Permissions anyOf) => (permissions & anyOf) != Permissions.None;
}
