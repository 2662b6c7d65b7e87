using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace PushQueue.Security;

internal static class AccessServiceCollectionExtensions
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<SecurityOptions>();
        services.AddCors();
        services.TryAddSingleton<OriginCheck>();
        services.TryAddSingleton<AccessControl>();
        services.TryAddSingleton<WaitingRights>();
        return services;
    }
}
