using System.CommandLine;
using PushQueue.Cli.Output;
using PushQueue.Client;
using Spectre.Console;

namespace PushQueue.Cli.Commands;

/// <summary>queue: one queue's settings and state.</summary>
internal static class QueueCommand
{
    public static Command Make() => new("queue", "Shows and changes one queue")
    {
        Show(), Settings(), Switch("start", "started"), Switch("stop", "stopped"), Policy(), Purge(), Delete(),
    };

    private static Command Show()
    {
        var queue = Shared.Queue();
        var command = new Command("show", "Counts and rates; exit code 4 if there is no such queue") { queue };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            if (await client.GetQueueAsync(parsed.GetValue(queue)!, cancellationToken) is not { } info)
            {
                throw new PushQueueException(ProblemTypes.NotFound, $"There is no queue '{parsed.GetValue(queue)}'.");
            }

            if (terminal.Json)
            {
                terminal.WriteJson(info);
            }
            else
            {
                terminal.Write(Tables.Of([info]));
            }

            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Settings()
    {
        var queue = Shared.Queue();
        var changes = new Argument<string[]>("name=value")
        {
            Description = "Such as ttr=45s maxMessages=1000 history.age=1h",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("settings", "Shows the settings, or changes some of them") { queue, changes };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var name = parsed.GetValue(queue)!;
            var settings = parsed.GetValue(changes) is { Length: > 0 } given
                ? await client.ChangeSettingsAsync(name, SettingsText.Parse(given), cancellationToken)
                : await client.GetSettingsAsync(name, cancellationToken);
            Write(terminal, settings);
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Switch(string word, string status)
    {
        var queue = Shared.Queue();
        var command = new Command(word, word == "start" ? "Delivers messages again" : "Accepts messages and delivers none") { queue };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var settings = await client.ChangeSettingsAsync(
                parsed.GetValue(queue)!, new QueueSettingsChange { Status = status }, cancellationToken);
            terminal.Done($"{settings.Queue} is {settings.Status}", new { settings.Queue, settings.Status });
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Policy()
    {
        var queue = Shared.Queue();
        var policy = new Argument<string?>("policy")
        {
            Description = "broadcast or roundrobin; without it the policy is shown",
            Arity = ArgumentArity.ZeroOrOne,
        }
            .AcceptOnlyFromAmong("broadcast", "roundrobin");
        var command = new Command("policy", "Whether every consumer gets a message, or one in turn") { queue, policy };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var name = parsed.GetValue(queue)!;
            var settings = parsed.GetValue(policy) is { } wanted
                ? await client.ChangeSettingsAsync(name, new QueueSettingsChange { Policy = wanted }, cancellationToken)
                : await client.GetSettingsAsync(name, cancellationToken);
            terminal.Done(settings.Policy, new { settings.Queue, settings.Policy });
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Purge() => Removal(
        "purge", "Empties the queue: its messages are gone, its settings, history and consumers stay", "Empty", "empty",
        static async (client, name, _, cancellationToken) => await client.PurgeAsync(name, cancellationToken));

    private static Command Delete() => Removal(
        "delete", "Deletes the queue: its messages, history and settings", "Delete", "gone",
        static async (client, name, waiting, cancellationToken) =>
        {
            await client.DeleteQueueAsync(name, cancellationToken);
            return waiting;
        });

    /// <param name="name">The command.</param>
    /// <param name="description">The help text.</param>
    /// <param name="verb">In the question.</param>
    /// <param name="outcome">The state of the queue afterwards.</param>
    /// <param name="act">Does it, given the number of messages; returns how many are gone.</param>
    private static Command Removal(
        string name, string description, string verb, string outcome,
        Func<PushQueueClient, string, long, CancellationToken, Task<long>> act)
    {
        var queue = Shared.Queue();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var command = new Command(name, description) { queue, yes };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var target = parsed.GetValue(queue)!;
            var info = await client.GetQueueAsync(target, cancellationToken)
                ?? throw new PushQueueException(ProblemTypes.NotFound, $"There is no queue '{target}'.");
            var waiting = info.Ready + info.Delayed + info.Leased;
            if (!parsed.GetValue(yes) && !Confirm(terminal, verb, target, waiting))
            {
                return ExitCodes.Usage;
            }

            var gone = await act(client, target, waiting, cancellationToken);
            terminal.Done($"{target} is {outcome}, {Tables.Number(gone)} messages removed", new { queue = target, messages = gone });
            return ExitCodes.Done;
        });
        return command;
    }

    private static bool Confirm(Terminal terminal, string verb, string queue, long waiting)
    {
        if (Console.IsInputRedirected || !terminal.IsLive)
        {
            throw new UsageException("There is no terminal to ask for confirmation; give --yes.");
        }

        return terminal.People.Prompt(
            new ConfirmationPrompt($"{verb} '{Markup.Escape(queue)}' with {Tables.Number(waiting)} messages?") { DefaultValue = false });
    }

    private static void Write(Terminal terminal, QueueSettings settings)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(settings);
            return;
        }

        var table = new TextTable(new("setting", IsText: true), new("value", IsText: true));
        foreach (var (name, value) in SettingsText.Describe(settings))
        {
            table.Add(name, value);
        }

        terminal.Write(table);
    }
}
