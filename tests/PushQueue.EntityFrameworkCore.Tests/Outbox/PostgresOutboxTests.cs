using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Outbox;

public sealed class PostgresOutboxTests(NodeFixture node, PostgresCluster cluster)
    : OutboxContract(node), IClassFixture<NodeFixture>, IClassFixture<PostgresCluster>
{
    private protected override Task<ITestDatabase> NewDatabaseAsync() => PostgresDatabase.NewAsync(cluster);
}
