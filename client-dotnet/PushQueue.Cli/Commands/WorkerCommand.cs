using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using PushQueue.Cli.Output;
using PushQueue.Client;

namespace PushQueue.Cli.Commands;

/// <summary>worker: a command for each message.</summary>
internal static class WorkerCommand
{
    /// <summary>How long after its end a command's standard error is read on.</summary>
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(1);

    public static Command Make()
    {
        var queue = Shared.Queue();
        var exec = new Option<string>("--exec", "-e")
        {
            Description = "A command for the shell; the body is its standard input, exit code 0 is the ack",
            Required = true,
        };
        var concurrency = new Option<int>("--concurrency", "-c") { Description = "Messages at once", DefaultValueFactory = _ => 1 };
        var name = new Option<string?>("--name") { Description = "The worker's name" };
        var ttr = Shared.Duration(
            "--ttr", "The length of a lease, extended while the command runs (as long as the connection)");
        var drain = Shared.Duration("--drain", "How long commands may take to end after Ctrl-C (30s)");
        var retryDelay = Shared.Duration(
            "--retry-delay", "The wait before a failed message comes again (the setting of the message or its queue, or 1s to 1m)");
        var where = Shared.Where();
        var command = new Command(
            "worker", "Runs a command for each message of a roundrobin queue; a new queue becomes roundrobin")
        {
            queue, exec, concurrency, name, ttr, retryDelay, drain, where,
        };
        command.Run(async (parsed, client, terminal, cancellationToken) =>
        {
            var shell = parsed.GetValue(exec)!;
            var options = new HandlerOptions
            {
                Concurrency = parsed.GetValue(concurrency),
                Name = parsed.GetValue(name),
                TimeToRun = parsed.GetValue(ttr),
                RetryDelay = parsed.GetValue(retryDelay),
                Consume = new ConsumeOptions { Where = parsed.GetValue(where) },
                DrainTimeout = parsed.GetValue(drain) ?? TimeSpan.FromSeconds(30),
                Reconnecting = again => Shared.Tell(terminal, again),
            };
            await client.HandleAsync(
                parsed.GetValue(queue)!, (message, ended) => ExecAsync(shell, message, terminal, ended), options, cancellationToken);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task ExecAsync(string shell, Message message, Terminal terminal, CancellationToken ended)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", shell])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        start.Environment["PUSHQUEUE_QUEUE"] = message.Queue;
        start.Environment["PUSHQUEUE_ID"] = message.Id;
        start.Environment["PUSHQUEUE_ATTEMPT"] = message.Attempt.ToString(CultureInfo.InvariantCulture);
        start.Environment["PUSHQUEUE_CONTENT_TYPE"] = message.ContentType;
        if (message.Key is { } key)
        {
            start.Environment["PUSHQUEUE_MESSAGE_KEY"] = key;
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException("The shell could not be started.");
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await FeedAsync(process, message, ended);
            await process.WaitForExitAsync(ended);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        var told = await SaidAsync(errors);
        if (told.Length > 0)
        {
            await Console.Error.WriteLineAsync(told);
        }

        if (process.ExitCode != 0)
        {
            terminal.Fail($"Message {message.Id}: the command ended with {process.ExitCode}; given back.", "worker");
            throw new InvalidOperationException(told.Length > 0 ? told : $"exit code {process.ExitCode}");
        }
    }

    /// <summary>The standard error of the command. A process that it left running may hold that open for ever, so the wait is
    /// bounded.</summary>
    private static async Task<string> SaidAsync(Task<string> errors)
    {
        try
        {
            return (await errors.WaitAsync(SettleTimeout, CancellationToken.None)).Trim();
        }
        catch (TimeoutException)
        {
            return "";
        }
    }

    private static async Task FeedAsync(Process process, Message message, CancellationToken ended)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(message.Body, ended);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // A command need not read what it is given; its exit code decides.
        }
    }
}
