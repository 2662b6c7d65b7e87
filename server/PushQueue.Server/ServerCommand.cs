using System.CommandLine;

namespace PushQueue.Server;

/// <summary>The command line. An option that it does not give is looked for as PUSHQUEUE_NAME and in appsettings.json, section PushQueue.</summary>
internal static class ServerCommand
{
    private static readonly Option[] Options =
    [
        new Option<string>("--listen") { Description = "The IP address to listen on (127.0.0.1)." },
        new Option<string>("--port") { Description = "The port; 0 for any free one (8080)." },
        new Option<string>("--data") { Description = "The folder that holds the messages (./data)." },
        new Option<string>("--durability")
        {
            Description = "What the answer to a put promises: synced (on disk), interval:50ms (on disk a little later), memory (synced).",
        },
        new Option<string>("--max-message-bytes") { Description = "The largest message (1048576)." },
        new Option<string>("--open")
        {
            Description = "Listen on an address that others can reach, although there is no access control yet.",
            Arity = ArgumentArity.ZeroOrOne,
        },
        new Option<string[]>("--allow-origin") { Description = "An origin whose web pages may use the server, or * for all; repeatable." },
        new Option<string[]>("--allow-host") { Description = "A name of the server, for a proxy in front of one on loopback; repeatable." },
    ];

    /// <param name="args">The command line.</param>
    /// <param name="run">Gets a reader of options by name, without dashes; null where an option is not given anywhere.</param>
    public static Task<int> InvokeAsync(string[] args, Func<Func<string, string?>, Task<int>> run)
    {
        var root = new RootCommand("PushQueue: a message queue that pushes.");
        foreach (var option in Options)
        {
            root.Options.Add(option);
        }

        root.SetAction(result => run(name => FromCommandLine(result, name) ?? FromElsewhere(name)));
        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0)
        {
            return parsed.InvokeAsync();
        }

        foreach (var error in parsed.Errors)
        {
            Console.Error.WriteLine(error.Message);
        }

        return Task.FromResult(Program.WrongOptions);
    }

    private static string? FromCommandLine(ParseResult result, string name)
    {
        var option = Array.Find(Options, option => option.Name == "--" + name)!;
        return option switch
        {
            _ when result.GetResult(option) is null => null,
            Option<string[]> many => string.Join(',', result.GetValue(many) ?? []),
            _ => result.GetValue((Option<string>)option) ?? "true",
        };
    }

    private static readonly Lazy<IConfiguration> Elsewhere = new(() => new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
        .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true)
        .Build());

    private static string? FromElsewhere(string name) =>
        Environment.GetEnvironmentVariable("PUSHQUEUE_" + name.Replace('-', '_').ToUpperInvariant())
        ?? Elsewhere.Value["PushQueue:" + name.Replace("-", "", StringComparison.Ordinal)];
}
