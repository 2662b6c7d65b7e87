using Microsoft.EntityFrameworkCore;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>A database of one test.</summary>
public interface ITestDatabase : IAsyncDisposable
{
    /// <summary>How a process of its own finds it.</summary>
    string Name { get; }

    void Configure(DbContextOptionsBuilder builder);

    /// <summary>A context without the services of an application, as another program has.</summary>
    TestDb Open()
    {
        var builder = new DbContextOptionsBuilder<TestDb>();
        Configure(builder);
        return new TestDb(builder.Options);
    }
}
