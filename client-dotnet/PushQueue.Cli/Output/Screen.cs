using System.Text;

namespace PushQueue.Cli.Output;

/// <summary>The terminal's second screen: what was on the first comes back at the end.</summary>
internal sealed class Screen : IDisposable
{
    private const string Enter = "\u001b[?1049h\u001b[?25l";
    private const string Leave = "\u001b[?25h\u001b[?1049l";
    private const string Home = "\u001b[H";
    private const string EndOfLine = "\u001b[K";
    private const string EndOfScreen = "\u001b[J";

    private readonly Terminal _terminal;

    public Screen(Terminal terminal)
    {
        _terminal = terminal;
        _terminal.Write(Enter);
    }

    /// <summary>Draws a frame over the last one, without a flicker.</summary>
    public void Draw(IEnumerable<string> lines)
    {
        var frame = new StringBuilder(Home);
        frame.AppendJoin(EndOfLine + "\r\n", lines.Take(_terminal.Height - 1)).Append(EndOfLine).Append(EndOfScreen);
        _terminal.Write(frame.ToString());
    }

    public void Dispose() => _terminal.Write(Leave);
}
