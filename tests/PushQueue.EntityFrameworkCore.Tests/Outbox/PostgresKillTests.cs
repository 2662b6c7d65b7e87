using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Outbox;

public sealed class PostgresKillTests(NodeFixture node, PostgresCluster cluster)
    : KillContract(node), IClassFixture<NodeFixture>, IClassFixture<PostgresCluster>
{
    private protected override Task<ITestDatabase> NewDatabaseAsync() => PostgresDatabase.NewAsync(cluster);
}
