using System.CommandLine;
using PushQueue.Security;

namespace PushQueue.Server;

/// <summary><c>key new</c>: makes a key and prints it, once, with its entry for the access file.</summary>
internal static class KeyCommand
{
    private static readonly Option<string> Name = new("--name")
    {
        Description = "A name for people, shown in the log (default: its id).",
    };

    private static readonly Option<string[]> Queues = new("--queue")
    {
        Description = "A queue that the key may use, or a pattern such as orders.*; repeatable, or separated by commas (*).",
    };

    private static readonly Option<string[]> Can = new("--can")
    {
        Description = $"Its permissions: {AccessKeyFactory.PermissionWords}; repeatable, or separated by commas.",
        Required = true,
    };

    private static readonly Option<string> Expires = new("--expires")
    {
        Description = "When the key expires: a time, or a duration such as 90d (never).",
    };

    public static Command Create()
    {
        var make = new Command("new", "Creates a key, and prints it with its entry for the access file.") { Name, Queues, Can, Expires };
        make.SetAction(result => Print(
            result.GetValue(Name), Split(result.GetValue(Queues)), Split(result.GetValue(Can)), result.GetValue(Expires)));
        return new Command("key", "Keys of the access file (--auth).") { make };
    }

    private static int Print(string? name, string[] queues, string[] can, string? expires)
    {
        if (AccessKeyFactory.Create(name, queues, can, expires, TimeProvider.System, out var key, out var entry) is { } whyNot)
        {
            Console.Error.WriteLine(whyNot);
            return Program.WrongOptions;
        }

        Console.WriteLine($"The key, which is shown only once:\n{key}\n\nIts entry for the list \"keys\" of the access file:\n{entry}");
        return 0;
    }

    private static string[] Split(string[]? texts) =>
        [
            .. (texts ?? []).SelectMany(
                static text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)),
        ];
}
