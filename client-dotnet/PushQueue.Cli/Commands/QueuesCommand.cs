using System.CommandLine;
using PushQueue.Cli.Output;

namespace PushQueue.Cli.Commands;

/// <summary>queues: all of them.</summary>
internal static class QueuesCommand
{
    public static Command Make()
    {
        var command = new Command("queues", "Lists the queues");
        command.Run(async (_, client, terminal, cancellationToken) =>
        {
            var queues = await client.ListQueuesAsync(cancellationToken).ToListAsync(cancellationToken);
            if (terminal.Json)
            {
                terminal.WriteJsonLines(queues);
            }
            else
            {
                terminal.Write(Tables.Of(queues));
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
