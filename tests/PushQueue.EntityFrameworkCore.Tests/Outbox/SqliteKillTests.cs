using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Outbox;

public sealed class SqliteKillTests(NodeFixture node) : KillContract(node), IClassFixture<NodeFixture>
{
    private protected override Task<ITestDatabase> NewDatabaseAsync() => SqliteDatabase.NewAsync();
}
