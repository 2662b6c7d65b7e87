using Microsoft.EntityFrameworkCore;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>A database in a cluster.</summary>
internal sealed class PostgresDatabase(string connection) : ITestDatabase
{
    public string Name => "postgres:" + connection;

    public static async Task<ITestDatabase> NewAsync(PostgresCluster cluster)
    {
        cluster.SkipIfMissing();
        ITestDatabase database = new PostgresDatabase($"{cluster.Connection};Database=test_{Random.Shared.NextInt64():x}");
        await using var db = database.Open();
        await db.Database.EnsureCreatedAsync();
        return database;
    }

    // With retries, as applications configure it: they are the stricter case for transactions.
    public void Configure(DbContextOptionsBuilder builder) =>
        builder.UseNpgsql(connection, static npgsql => npgsql.EnableRetryOnFailure());

    // The cluster is removed with all its databases.
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
