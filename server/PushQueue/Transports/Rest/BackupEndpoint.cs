using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.OpenApi;

namespace PushQueue.Transports.Rest;

/// <summary>GET /backup: the embedded store's log as one archive, while it is written.</summary>
internal sealed class BackupEndpoint(IStoreLifecycle store)
{
    public const string Path = "/backup";

    public void Map(RestRoutes routes) =>
        routes.Map(Path, ("GET", AccessRule.Node(Permissions.Manage), BackUpAsync, NodeOperations.Backup));

    private async ValueTask<Problem?> BackUpAsync(HttpContext context)
    {
        if (QueryOptions.None(context.Request) is { } problem)
        {
            return problem;
        }

        if (store is not IStoreBackup backup)
        {
            return new Problem(ProblemType.Unsupported, $"The messages are not stored on this server ({store.Description}); back up "
                + "that store.");
        }

        context.Response.ContentType = "application/x-tar";
        context.Response.Headers.ContentDisposition = "attachment; filename=\"pushqueue.tar\"";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await backup.WriteArchiveAsync(context.Response.Body, context.RequestAborted);
        return null;
    }
}
