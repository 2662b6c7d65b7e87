using System.Reflection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace PushQueue.Server;

/// <summary>The pages as they are built into the library: a server that is one file needs no folder of pages.</summary>
internal sealed class EmbeddedPages : IFileProvider
{
    /// <summary>The build puts this before the path of each page.</summary>
    private const string Prefix = "wwwroot/";

    private static readonly Assembly Library = typeof(PushQueueOptions).Assembly;

    // Pages change only with the server. The time tells a browser's cache so.
    private static readonly DateTimeOffset BuiltAt = File.Exists(Environment.ProcessPath)
        ? new DateTimeOffset(File.GetLastWriteTimeUtc(Environment.ProcessPath), TimeSpan.Zero)
        : DateTimeOffset.UnixEpoch;

    private readonly HashSet<string> _names = Library.GetManifestResourceNames().ToHashSet(StringComparer.Ordinal);

    public IFileInfo GetFileInfo(string subpath) =>
        _names.Contains(Prefix + subpath.TrimStart('/')) ? new Page(Prefix + subpath.TrimStart('/')) : new NotFoundFileInfo(subpath);

    /// <summary>Only whether there is such a folder; nobody lists it.</summary>
    public IDirectoryContents GetDirectoryContents(string subpath)
    {
        var folder = Prefix + subpath.Trim('/');
        folder = folder.EndsWith('/') ? folder : folder + "/";
        return _names.Any(name => name.StartsWith(folder, StringComparison.Ordinal)) ? new Folder() : NotFoundDirectoryContents.Singleton;
    }

    public IChangeToken Watch(string filter) => NullChangeToken.Singleton;

    private sealed class Page : IFileInfo
    {
        private readonly string _resource;

        public Page(string resource)
        {
            _resource = resource;
            using var stream = CreateReadStream();
            Length = stream.Length;
        }

        public bool Exists => true;

        public bool IsDirectory => false;

        public DateTimeOffset LastModified => BuiltAt;

        public long Length { get; }

        public string Name => Path.GetFileName(_resource);

        public string? PhysicalPath => null;

        public Stream CreateReadStream() => Library.GetManifestResourceStream(_resource)!;
    }

    private sealed class Folder : IDirectoryContents
    {
        public bool Exists => true;

        public IEnumerator<IFileInfo> GetEnumerator() => Enumerable.Empty<IFileInfo>().GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
