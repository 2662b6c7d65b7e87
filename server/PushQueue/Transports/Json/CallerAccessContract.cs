using PushQueue.Security;

namespace PushQueue.Transports.Json;

/// <summary>The rights of a caller, for pages that offer only what the caller may do.</summary>
/// <param name="Key">The name of the key; null without access control.</param>
/// <param name="Everywhere">The permissions on all queues.</param>
/// <param name="Somewhere">The permissions on at least one queue.</param>
internal sealed record CallerAccessContract(string? Key, string[] Everywhere, string[] Somewhere)
{
    public static CallerAccessContract Of(Caller caller) => new(
        caller.Key?.Name,
        PermissionWords.Of(caller.MayEverywhere),
        PermissionWords.Of(caller.MaySomewhere));
}
