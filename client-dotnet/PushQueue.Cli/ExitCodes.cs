namespace PushQueue.Cli;

/// <summary>The exit codes that scripts may rely on.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>The server refused, or something failed on the way.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong, or a confirmation is missing.</summary>
    public const int Usage = 2;

    /// <summary>No server there.</summary>
    public const int Unreachable = 3;

    /// <summary>Nothing to take, or no such message or queue.</summary>
    public const int Nothing = 4;

    /// <summary>A measurement lost or doubled messages.</summary>
    public const int Unsound = 5;

    /// <summary>Ended by Ctrl-C.</summary>
    public const int Interrupted = 130;
}
