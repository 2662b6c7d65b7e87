using PushQueue.ClientTests.Support;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Packaging;

/// <summary>The packages as a newcomer uses them: out of an empty folder.</summary>
[Trait("Category", "Packaging")]
public sealed class PackageTests(PackedFeed feed) : NodeTests
{
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <OutputType>Exe</OutputType>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="PushQueue.Client" Version="*-*" />
          </ItemGroup>
        </Project>
        """;

    private const string Program = """
        using System.Text.Json.Serialization;
        using PushQueue.Client;

        using var client = new PushQueueClient(args[0]);
        await client.PutAsync("packaged", new Order(7, "tea"), AppJson.Default.Order);
        await foreach (var order in client.ConsumeAsync("packaged", AppJson.Default.Order, new ConsumeOptions { From = "earliest" }))
        {
            Console.WriteLine(order.Value);
            break;
        }

        record Order(int Number, string Item);

        [JsonSerializable(typeof(Order))]
        partial class AppJson : JsonSerializerContext;
        """;

    private const string OutboxProject = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <OutputType>Exe</OutputType>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Microsoft.EntityFrameworkCore.Sqlite" Version="10.0.15" />
            <PackageReference Include="Microsoft.Extensions.Hosting" Version="10.0.15" />
            <PackageReference Include="PushQueue.Client" Version="*-*" />
            <PackageReference Include="PushQueue.EntityFrameworkCore" Version="*-*" />
          </ItemGroup>
        </Project>
        """;

    private const string OutboxProgram = """
        using Microsoft.EntityFrameworkCore;
        using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Hosting;
        using PushQueue.Client;

        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddDbContext<ShopDb>(options => options.UseSqlite("Data Source=shop.db"));
        builder.Services.AddPushQueueClient(options => options.Server = new Uri(args[0]));
        builder.Services.AddPushQueueOutbox<ShopDb>();
        using var host = builder.Build();
        using var scope = host.Services.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<ShopDb>();
        await db.Database.EnsureCreatedAsync();
        await host.StartAsync();
        db.PutLater("packaged-outbox", new Order(7, "tea"));
        await db.SaveChangesAsync();
        var client = host.Services.GetRequiredService<IPushQueueClient>();
        Console.WriteLine((await client.TakeAsync("packaged-outbox", wait: TimeSpan.FromMinutes(1)))?.Read<Order>());
        await host.StopAsync();

        record Order(int Number, string Item);

        class ShopDb(DbContextOptions<ShopDb> options) : DbContext(options)
        {
            protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddPushQueueOutbox();
        }
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task The_packed_client_works_from_an_empty_folder()
    {
        using var folder = new TemporaryDirectory();
        var app = await NewApplicationAsync(folder.Path, Project, Program);

        var output = await DotNetAsync(app, "run", "-c", "Release", "--", Node.Proxy.Address.AbsoluteUri);

        Assert.Contains("Order { Number = 7, Item = tea }", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_packed_outbox_works_from_an_empty_folder()
    {
        using var folder = new TemporaryDirectory();
        var app = await NewApplicationAsync(folder.Path, OutboxProject, OutboxProgram);

        var output = await DotNetAsync(app, "run", "-c", "Release", "--", Node.Proxy.Address.AbsoluteUri);

        Assert.Contains("Order { Number = 7, Item = tea }", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_packed_client_compiles_into_a_program_of_dotnet_8()
    {
        using var folder = new TemporaryDirectory();
        var project = Project
            .Replace("net10.0", "net8.0", StringComparison.Ordinal)
            .Replace(
                "<OutputType>Exe</OutputType>", "<OutputType>Exe</OutputType><UseAppHost>false</UseAppHost>", StringComparison.Ordinal);
        var app = await NewApplicationAsync(folder.Path, project, Program);

        await DotNetAsync(app, "build", "-c", "Release", "-warnaserror");

        Assert.True(File.Exists(Path.Combine(app, "bin", "Release", "net8.0", "PushQueue.Client.dll")));
    }

    [Fact]
    public async Task The_packed_tool_installs_and_runs()
    {
        using var folder = new TemporaryDirectory();
        await feed.UseInAsync(folder.Path);
        var tools = Path.Combine(folder.Path, "tools");
        await DotNetAsync(folder.Path, "tool", "install", "PushQueue.Cli", "--tool-path", tools, "--prerelease");
        var tool = Path.Combine(tools, "pushqueue");

        var put = await ToolProcess.RunAsync(
            Patience, folder.Path, tool, "put", "packed", "hello", "--server", Node.Proxy.Address.AbsoluteUri);
        var taken = await ToolProcess.RunAsync(Patience, folder.Path, tool, "take", "packed", "--server", Node.Proxy.Address.AbsoluteUri);

        Assert.True(put.ExitCode == 0, put.Output);
        Assert.Equal((0, "hello"), (taken.ExitCode, taken.Output.Trim()));
    }

    /// <summary>A program that takes the client from a package.</summary>
    private async Task<string> NewApplicationAsync(string folder, string project, string program)
    {
        var app = Directory.CreateDirectory(Path.Combine(folder, "app")).FullName;
        await File.WriteAllTextAsync(Path.Combine(app, "app.csproj"), project);
        await File.WriteAllTextAsync(Path.Combine(app, "Program.cs"), program);
        await feed.UseInAsync(app);
        return app;
    }

    private static async Task<string> DotNetAsync(string folder, params string[] arguments)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(Patience, folder, "dotnet", arguments);
        Assert.True(exitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {exitCode}: {output}");
        return output;
    }
}
