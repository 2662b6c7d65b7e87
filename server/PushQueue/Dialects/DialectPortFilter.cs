using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace PushQueue.Dialects;

/// <summary>
/// Puts the dialect's prefix before the path of every request at its own port. So each dialect is mapped once, and at its port there is
/// nothing but it. A startup filter, because those run before the host's whole pipeline, static files and routing included: no host can
/// forget it.
/// </summary>
internal sealed class DialectPortFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(static (context, next) =>
        {
            if (context.Features.Get<DialectPort>() is { } port)
            {
                context.Request.Path = new PathString("/" + port.Name).Add(context.Request.Path);
            }

            return next(context);
        });
        next(app);
    };
}
