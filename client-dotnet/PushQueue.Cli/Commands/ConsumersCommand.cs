using System.CommandLine;
using PushQueue.Cli.Output;

namespace PushQueue.Cli.Commands;

/// <summary>consumers: who listens.</summary>
internal static class ConsumersCommand
{
    public static Command Make()
    {
        var queue = new Argument<string?>("queue") { Description = "One queue (all queues)", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("consumers", "Lists the consumers that are connected, at all nodes") { queue };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var consumers = parsed.GetValue(queue) is { } name
                ? await client.GetConsumersAsync(name, cancellationToken)
                : (await client.GetWorkersAsync(cancellationToken)).Consumers;
            if (terminal.Json)
            {
                terminal.WriteJsonLines(consumers);
            }
            else
            {
                terminal.Write(Tables.Of(consumers));
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
