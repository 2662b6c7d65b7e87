using System.CommandLine;
using System.Net.Http.Headers;
using PushQueue.Storage.Embedded;

namespace PushQueue.Server;

/// <summary><c>backup</c>: fetches a copy of a running server's messages. The file appears under its name only when it is whole.</summary>
internal static class BackupCommand
{
    private static readonly Option<string> Url = new("--url")
    {
        Description = "The server (http://127.0.0.1:8080).",
        DefaultValueFactory = static _ => "http://127.0.0.1:8080",
    };

    private static readonly Option<string> Out = new("--out") { Description = "The file to write; it must not exist.", Required = true };

    private static readonly Option<string> Key = new("--key")
    {
        Description = "A key with manage on all queues; prefer the environment variable PUSHQUEUE_KEY.",
    };

    public static Command Create()
    {
        var command = new Command("backup", "Copies a running server's messages into a file, for restore.") { Url, Out, Key };
        command.SetAction((result, cancellationToken) => BackUpAsync(
            result.GetValue(Url)!,
            result.GetValue(Out)!,
            result.GetValue(Key) ?? Environment.GetEnvironmentVariable("PUSHQUEUE_KEY"),
            cancellationToken));
        return command;
    }

    private static async Task<int> BackUpAsync(string url, string file, string? key, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
        {
            return Program.Fail(Program.WrongOptions, $"--url is '{url}'; give a server's address such as http://127.0.0.1:8080.");
        }

        var partial = file + ".partial";
        try
        {
            if (File.Exists(file) || File.Exists(partial))
            {
                return Program.Fail(
                Program.WrongOptions, $"--out {(File.Exists(file) ? file : partial)} exists already; give another name.");
            }

            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))))
            {
                return Program.Fail(Program.WrongOptions, $"The folder of --out {file} does not exist; create it first.");
            }

            await FetchAsync(new Uri(server, "/backup"), partial, key, cancellationToken);
            long bytes;
            await using (var archive = File.OpenRead(partial))
            {
                bytes = await StoreArchive.CheckAsync(archive, cancellationToken);
            }

            File.Move(partial, file);
            Console.WriteLine($"Backed up {bytes} bytes into {file}");
            return 0;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException or UnauthorizedAccessException
            or OperationCanceledException)
        {
            File.Delete(partial);
            return Program.Fail(Program.CannotStart, $"The backup failed: {e.Message}");
        }
    }

    private static async Task FetchAsync(Uri address, string file, string? key, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler()) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        using var answer = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            throw new HttpRequestException(
                $"{address} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        }

        await using var target = new FileStream(file, FileMode.Create, FileAccess.Write);
        await answer.Content.CopyToAsync(target, cancellationToken);
        target.Flush(flushToDisk: true);
    }
}
