using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using PushQueue.Cli.Commands;
using PushQueue.Cli.Output;
using PushQueue.Client;

namespace PushQueue.Cli;

/// <summary>Puts the commands together.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        var root = new RootCommand("Puts, takes and watches messages of a PushQueue server.");
        Shared.AddTo(root);
        foreach (var windowsOnly in (string[])["/?", "/h"])
        {
            // Completion would offer them before every real option.
            _ = root.Options.OfType<HelpOption>().Single().Aliases.Remove(windowsOnly);
        }

        foreach (var command in (Command[])
            [
                PutCommand.Make(), TakeCommand.Make(), ListenCommand.Make(), QueuesCommand.Make(), QueueCommand.Make(), PeekCommand.Make(),
                AckCommand.Make(), TouchCommand.Make(), CancelCommand.Make(), RescheduleCommand.Make(), DeadCommand.Make(),
                KeysCommand.Make(),
                ConsumersCommand.Make(), TopCommand.Make(), BenchCommand.Make(), WorkerCommand.Make(), PingCommand.Make(),
            ])
        {
            root.Subcommands.Add(command);
        }

        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0 && MistypedOptions.Find(parsed, args) is { } mistyped)
        {
            new Terminal(args.Contains("--json", StringComparer.Ordinal)).Fail(mistyped, ProblemTypes.BadOption);
            return ExitCodes.Usage;
        }

        // A terminal that is closed ends the command as an interrupt does: a worker drains. The library itself handles SIGINT and SIGTERM.
        using var hangup = new CancellationTokenSource();
        using var onHangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            hangup.Cancel();
        });
        var exitCode = await parsed.InvokeAsync(
            new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,

                // A command ends by itself when it is told to; a worker may take its drain time, which has a limit of its own.
                ProcessTerminationTimeout = TimeSpan.FromHours(1),
            },
            hangup.Token);

        // The library's own code for a wrong command line is 1, which here means that the server refused.
        return parsed.Errors.Count > 0 ? ExitCodes.Usage : exitCode;
    }
}
