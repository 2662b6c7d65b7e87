using System.Collections.Concurrent;
using System.Net;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.StaticFiles;

namespace PushQueue.Dashboard;

/// <summary>The files of the dashboard, which are built into the library.</summary>
internal sealed class DashboardPages
{
    /// <summary>The shell of the dashboard.</summary>
    public const string Shell = "index.html";

    /// <summary>The build puts this before the path of each file.</summary>
    private const string Prefix = "wwwroot/";

    private static readonly Assembly Library = typeof(DashboardPages).Assembly;

    // Browsers show plain text; they offer text/markdown as a download.
    private static readonly FileExtensionContentTypeProvider ContentTypes =
        new() { Mappings = { [".md"] = "text/plain; charset=utf-8", [".html"] = "text/html; charset=utf-8" } };

    private readonly HashSet<string> _names = Library.GetManifestResourceNames().ToHashSet(StringComparer.Ordinal);

    // As many as there are files.
    private readonly ConcurrentDictionary<string, DashboardPage> _read = new(StringComparer.Ordinal);

    /// <summary>A file; null if there is no such file.</summary>
    /// <param name="path">Its path without a leading slash.</param>
    public DashboardPage? Find(string path) => _names.Contains(Prefix + path) ? _read.GetOrAdd(path, Read) : null;

    /// <summary>The shell of the dashboard, which knows where the API is.</summary>
    /// <param name="api">The path of the API, with a slash at its end.</param>
    public DashboardPage ShellFor(string api)
    {
        var page = Encoding.UTF8.GetString(Find(Shell)!.Content);
        var place = $"<meta name=\"pushqueue-api\" content=\"{WebUtility.HtmlEncode(api)}\">\n</head>";
        return Make(Shell, Encoding.UTF8.GetBytes(page.Replace("</head>", place, StringComparison.Ordinal)));
    }

    private static DashboardPage Read(string path)
    {
        using var stream = Library.GetManifestResourceStream(Prefix + path)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return Make(path, content);
    }

    private static DashboardPage Make(string path, byte[] content) => new(
        content,
        ContentTypes.TryGetContentType(path, out var type) ? type : "application/octet-stream",
        $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 16))}\"");
}
