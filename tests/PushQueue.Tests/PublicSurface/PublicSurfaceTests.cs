using System.Reflection;
using PublicApiGenerator;
using PushQueue.Client;
using PushQueue.Testing;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.PublicSurface;

/// <summary>
/// The public names of each package are those of its file in this folder: a change that could break a program does not happen unnoticed.
/// After an intended change run <c>tools/record-public-surface.sh</c>, and review the difference.
/// </summary>
public sealed class PublicSurfaceTests
{
    private const string Record = "PUSHQUEUE_RECORD_SURFACE";

    private static readonly ApiGeneratorOptions Options = new()
    {
        ExcludeAttributes =
        [
            "System.Reflection.AssemblyMetadataAttribute", "System.Runtime.CompilerServices.InternalsVisibleToAttribute",
            "System.Runtime.Versioning.TargetFrameworkAttribute", "System.Runtime.Versioning.SupportedOSPlatformAttribute",
        ],
    };

    public static TheoryData<string> Packages { get; } =
        [.. new[] { typeof(PushQueueOptions), typeof(IPushQueueClient), typeof(PushQueueClient), typeof(PushQueueTestServer) }
            .Select(static type => type.Assembly.GetName().Name!)];

    [Theory]
    [MemberData(nameof(Packages))]
    public async Task The_public_names_of_a_package_are_the_recorded_ones(string package)
    {
        var file = Path.Combine(RepositoryRoot.Path, "tests", "PushQueue.Tests", "PublicSurface", package + ".txt");
        var surface = Assembly.Load(package).GeneratePublicApi(Options).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable(Record) == "1")
        {
            await File.WriteAllTextAsync(file, surface);
        }

        var recorded = File.Exists(file) ? (await File.ReadAllTextAsync(file)).ReplaceLineEndings("\n") : "";
        var (gone, added) = (Lines(recorded).Except(Lines(surface)).ToList(), Lines(surface).Except(Lines(recorded)).ToList());
        Assert.True(
            surface == recorded,
            $"The public surface of {package} has changed. If that is intended, run tools/record-public-surface.sh and commit the file.\n"
            + string.Join('\n', gone.Select(static line => "- " + line).Concat(added.Select(static line => "+ " + line))));
    }

    private static string[] Lines(string text) => text.Split('\n');
}
