using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

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
        services.TryAddSingleton<OwnTokens>();
        services.TryAddSingleton<KeySetFile>();
        services.TryAddSingleton<ForeignTokens>();
        services.TryAddSingleton<Admission>();

        // The same as AddJwtBearer without the scheme: an application's choice of schemes must not change.
        services.AddOptions();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<JwtBearerOptions>, JwtBearerSetup>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<JwtBearerOptions>, JwtBearerPostConfigureOptions>());
        return services;
    }
}
