using Mono.Cecil;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Architecture;

/// <summary>
/// Keeps classes, interfaces and constructors small. Each list of exceptions only ever gets shorter, and its numbers only smaller.
/// </summary>
public sealed class SizeTests
{
    private const int MembersMax = 16;
    private const int ParametersMax = 7;
    private const int LinesMax = 900;

    private static readonly Dictionary<string, int> WideInterfaces = new(StringComparer.Ordinal);

    private static readonly Dictionary<string, int> WideConstructors = new(StringComparer.Ordinal)
    {
        ["HubSocketEndpoint"] = 8,
        ["MessageBroker"] = 10,
        ["QueueDispatcher"] = 8,
        ["RedisNode"] = 8,
        ["TopicPusher"] = 8,
        ["WebSocketEndpoint"] = 9,
    };

    private static readonly Dictionary<string, int> LongClasses = new(StringComparer.Ordinal)
    {
        ["Storage/Redis/RedisMessageStore"] = 1355,
    };

    private static readonly TypeGraph Graph = TypeGraph.OfLibrary();

    [Fact]
    public void No_interface_has_more_than_16_members() =>
        Check(
            Graph.Types.Where(static type => type.IsInterface).Select(static type => (type.Name, Members(type))),
            MembersMax,
            WideInterfaces);

    [Fact]
    public void No_constructor_has_more_than_7_parameters() =>
        Check(
            Graph.Types.Where(static type => !IsRecord(type))
                .SelectMany(static type => type.Methods.Where(static method => method.IsConstructor))
                .GroupBy(static method => method.DeclaringType.Name)
                .Select(static same => (same.Key, same.Max(static method => method.Parameters.Count))),
            ParametersMax,
            WideConstructors);

    [Fact]
    public void No_class_has_more_than_900_lines_over_all_its_parts()
    {
        var library = Path.Combine(RepositoryRoot.Path, "server", "PushQueue");

        var lengths = Directory.EnumerateFiles(library, "*.cs", SearchOption.AllDirectories)
            .GroupBy(file => Path.Combine(
                Path.GetRelativePath(library, Path.GetDirectoryName(file)!), Path.GetFileName(file).Split('.')[0]))
            .Select(static parts => (parts.Key, parts.Sum(static file => File.ReadLines(file).Count())));

        Check(lengths, LinesMax, LongClasses);
    }

    private static int Members(TypeDefinition type) =>
        type.Methods.Count(static method => !method.IsSpecialName && !method.IsStatic) + type.Properties.Count + type.Events.Count;

    /// <summary>A record's constructor has a parameter for each of its values.</summary>
    private static bool IsRecord(TypeDefinition type) =>
        type.IsValueType || type.Methods.Any(static method => method.Name is "<Clone>$" or "PrintMembers");

    private static void Check(IEnumerable<(string Name, int Size)> sizes, int max, Dictionary<string, int> exceptions)
    {
        var tooLarge = sizes.Where(size => size.Size > max && size.Size > exceptions.GetValueOrDefault(size.Name)).ToList();

        Assert.True(tooLarge.Count == 0, string.Join('\n', tooLarge.Select(static size => $"[\"{size.Name}\"] = {size.Size},")));
    }
}
