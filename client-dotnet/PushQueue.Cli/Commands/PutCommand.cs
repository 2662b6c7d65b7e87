using System.CommandLine;

namespace PushQueue.Cli.Commands;

/// <summary>put: messages from arguments, a file, or standard input.</summary>
internal static class PutCommand
{
    private const string StandardInput = "-";

    public static Command Make()
    {
        var queue = Shared.Queue();
        var bodies = new Argument<string[]>("body")
        {
            Description = "A message each, or - for all of standard input as one message. Without any (and without --file) each line "
                + "of standard input is a message: a JSON value, or text with --type text/plain",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var file = new Option<string?>("--file", "-f")
        {
            Description = "The file is the message (- for standard input); with --lines each line is a message",
        };
        var lines = new Option<bool>("--lines") { Description = "The file holds a message per line" };
        var type = new Option<string?>("--type", "-t")
        {
            Description = "The content type (JSON if the body is an object or a list, else text or bytes)",
        };
        var options = new PutOptionSet();
        var command = new Command("put", "Puts messages") { queue, bodies, file, lines, type };
        options.AddTo(command);
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var put = new BodyPutter(client, terminal, parsed.GetValue(queue)!, options.Read(parsed), parsed.GetValue(type));
            var given = parsed.GetValue(bodies) ?? [];
            var path = parsed.GetValue(file);
            if (given.Length > 0 && path is not null)
            {
                throw new UsageException("Give messages as arguments or as --file, not both.");
            }

            if (given is [StandardInput] || (path is not null && !parsed.GetValue(lines)))
            {
                await put.WholeAsync(Open(path ?? StandardInput), cancellationToken);
            }
            else if (given.Length > 0)
            {
                await put.TextsAsync(given, cancellationToken);
            }
            else
            {
                await put.LinesAsync(Open(path ?? StandardInput), cancellationToken);
            }

            return ExitCodes.Done;
        });
        return command;
    }

    private static Stream Open(string path) => path == StandardInput ? Console.OpenStandardInput() : File.OpenRead(path);
}
