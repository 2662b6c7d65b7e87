using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using PushQueue.SystemTests.Support;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>A database in a file.</summary>
internal sealed class SqliteDatabase : ITestDatabase
{
    private readonly TemporaryDirectory? _folder;
    private readonly string _file;

    private SqliteDatabase(string file, TemporaryDirectory? folder)
    {
        _file = file;
        _folder = folder;
    }

    public string Name => "sqlite:" + _file;

    public static async Task<ITestDatabase> NewAsync()
    {
        var folder = new TemporaryDirectory();
        ITestDatabase database = new SqliteDatabase(Path.Combine(folder.Path, "app.db"), folder);
        await using var db = database.Open();
        await db.Database.EnsureCreatedAsync();
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL");
        return database;
    }

    public static ITestDatabase OfName(string file) => new SqliteDatabase(file, folder: null);

    // A connection ends with its context, so that a context never finds what another one has left on it.
    public void Configure(DbContextOptionsBuilder builder) => builder.UseSqlite($"Data Source={_file};Pooling=False");

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        _folder?.Dispose();
        return ValueTask.CompletedTask;
    }
}
