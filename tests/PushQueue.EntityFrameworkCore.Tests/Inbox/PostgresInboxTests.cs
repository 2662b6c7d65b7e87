using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Inbox;

public sealed class PostgresInboxTests(NodeFixture node, PostgresCluster cluster)
    : InboxContract(node), IClassFixture<NodeFixture>, IClassFixture<PostgresCluster>
{
    private protected override Task<ITestDatabase> NewDatabaseAsync() => PostgresDatabase.NewAsync(cluster);
}
