namespace PushQueue.Transports.Operations;

/// <summary>Where the options of an operation come from: a query string, a command's frame or the arguments of a hub call.</summary>
internal interface IOptionSource
{
    /// <summary>Set where <see cref="Next"/> stopped because an option cannot be read.</summary>
    Problem? Problem { get; }

    /// <summary>The next option as text; false at the end and at a problem.</summary>
    bool Next(out ReadOnlySpan<char> name, out string value);
}
