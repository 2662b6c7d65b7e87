using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Outbox;

public sealed class SqliteOutboxTests(NodeFixture node) : OutboxContract(node), IClassFixture<NodeFixture>
{
    private protected override Task<ITestDatabase> NewDatabaseAsync() => SqliteDatabase.NewAsync();
}
