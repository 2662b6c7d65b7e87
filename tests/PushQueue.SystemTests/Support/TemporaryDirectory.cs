namespace PushQueue.SystemTests.Support;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("pushqueue-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
