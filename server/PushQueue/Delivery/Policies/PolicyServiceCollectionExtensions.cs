using Microsoft.Extensions.DependencyInjection;

namespace PushQueue.Delivery.Policies;

internal static class PolicyServiceCollectionExtensions
{
    /// <summary>The policies that a queue's setting can name.</summary>
    public static IServiceCollection AddDispatchPolicies(this IServiceCollection services) => services
        .AddSingleton<IDispatchPolicyFactory, BroadcastPolicyFactory>()
        .AddSingleton<IDispatchPolicyFactory, RoundRobinPolicyFactory>();
}
