using System.CommandLine;
using PushQueue.Cli.Output;

namespace PushQueue.Cli.Commands;

/// <summary>keys: those of a queue, with their backlog.</summary>
internal static class KeysCommand
{
    public static Command Make()
    {
        var queue = new Argument<string>("queue") { Description = "The queue" };
        var command = new Command("keys", "Lists the keys of a queue that have messages") { queue };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var keys = await client.ListKeysAsync(parsed.GetRequiredValue(queue), cancellationToken).ToListAsync(cancellationToken);
            if (terminal.Json)
            {
                terminal.WriteJsonLines(keys);
            }
            else
            {
                terminal.Write(Tables.Of(keys));
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
