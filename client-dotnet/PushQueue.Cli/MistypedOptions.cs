using System.CommandLine;
using System.CommandLine.Parsing;

namespace PushQueue.Cli;

/// <summary>
/// Options that a command does not have. The parser takes them for arguments, and a mistyped option would become a message. An argument
/// that begins with '-' goes behind '--'.
/// </summary>
internal static class MistypedOptions
{
    private const string EndOfOptions = "--";

    /// <summary>A sentence about the first one; null without one.</summary>
    public static string? Find(ParseResult parsed, string[] args)
    {
        var behind = args.SkipWhile(argument => argument != EndOfOptions).Skip(1).ToList();
        foreach (var token in parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens))
        {
            if (token.Value is ['-', _, ..] && !behind.Remove(token.Value))
            {
                var command = parsed.CommandResult.Command.Name;
                return $"There is no option '{token.Value}' for {command}; 'pushqueue {command} --help' lists them. "
                    + "Write -- before arguments that begin with '-'.";
            }
        }

        return null;
    }
}
