using System.CommandLine;
using PushQueue.Storage.Embedded;

namespace PushQueue.Server;

/// <summary><c>restore</c>: unpacks a backup into an empty folder, with which a server then starts.</summary>
internal static class RestoreCommand
{
    private static readonly Option<string> From = new("--from") { Description = "The file that backup wrote.", Required = true };

    private static readonly Option<string> Data = new("--data")
    {
        Description = "The folder to unpack into. It must be empty, or it is created.",
        Required = true,
    };

    public static Command Create()
    {
        var command = new Command("restore", "Unpacks a backup into an empty folder; then start the server with it (--data).")
        {
            From,
            Data,
        };
        command.SetAction((result, cancellationToken) => RestoreAsync(result.GetValue(From)!, result.GetValue(Data)!, cancellationToken));
        return command;
    }

    private static async Task<int> RestoreAsync(string file, string directory, CancellationToken cancellationToken)
    {
        try
        {
            await using var archive = File.OpenRead(file);
            var bytes = await StoreArchive.RestoreAsync(archive, directory, cancellationToken);
            Console.WriteLine($"Restored {bytes} bytes into {Path.GetFullPath(directory)}; start the server with --data {directory}");
            return 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return Program.Fail(Program.CannotStart, $"Nothing was restored: {e.Message}");
        }
    }
}
