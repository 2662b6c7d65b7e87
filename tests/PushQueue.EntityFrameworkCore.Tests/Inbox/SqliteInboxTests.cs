using PushQueue.EntityFrameworkCore.Tests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Inbox;

public sealed class SqliteInboxTests(NodeFixture node) : InboxContract(node), IClassFixture<NodeFixture>
{
    private protected override Task<ITestDatabase> NewDatabaseAsync() => SqliteDatabase.NewAsync();
}
