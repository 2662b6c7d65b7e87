using System.Text.Json;
using PushQueue.Client;
using Spectre.Console;

namespace PushQueue.Cli.Output;

/// <summary>Where results go: tables for people, JSON for scripts. Colours only on a terminal.</summary>
internal sealed class Terminal
{
    private const string Bold = "\u001b[1m";
    private const string Plain = "\u001b[0m";

    private static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web) { Converters = { new UtcTimeConverter() } };

    private readonly Stream _output = Console.OpenStandardOutput();

    public Terminal(bool json)
    {
        Json = json;
        IsLive = !json && !Console.IsOutputRedirected;
        People = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = Console.IsOutputRedirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
        });
    }

    public bool Json { get; }

    /// <summary>Whether a table may be drawn again and again.</summary>
    public bool IsLive { get; }

    /// <summary>For questions.</summary>
    public IAnsiConsole People { get; }

    /// <summary>Columns of the terminal; null where the output goes elsewhere.</summary>
    public int? Width => Console.IsOutputRedirected ? null : Math.Max(20, People.Profile.Width);

    /// <summary>Lines of the terminal.</summary>
    public int Height => Math.Max(5, People.Profile.Height);

    /// <summary>The header of a table stands out where that is possible.</summary>
    public string Header(string line) => IsLive && People.Profile.Capabilities.Ansi ? $"{Bold}{line}{Plain}" : line;

    /// <summary>A value as one line of JSON.</summary>
    public void WriteJson<T>(T value) => WriteLine(JsonSerializer.SerializeToUtf8Bytes(value, JsonOptions));

    public void WriteLine(string line) => WriteLine(System.Text.Encoding.UTF8.GetBytes(line));

    /// <summary>Bytes as they are, and a line end.</summary>
    public void WriteLine(ReadOnlySpan<byte> bytes)
    {
        _output.Write(bytes);
        _output.Write("\n"u8);
        _output.Flush();
    }

    /// <summary>Values as lines of JSON.</summary>
    public void WriteJsonLines<T>(IEnumerable<T> values)
    {
        foreach (var value in values)
        {
            WriteJson(value);
        }
    }

    public void Write(TextTable table)
    {
        var isHeader = true;
        foreach (var line in table.Lines(Width))
        {
            WriteLine(isHeader ? Header(line) : line);
            isHeader = false;
        }
    }

    /// <summary>The message as JSON, or its body: byte for byte where it goes into a file or a pipe, without commands where a terminal
    /// shows it.</summary>
    public void WriteMessage(Message message)
    {
        if (Json || Console.IsOutputRedirected)
        {
            WriteLine(Json ? MessageJson.Write(message) : message.Body.Span);
        }
        else
        {
            WriteLine(TerminalText.Of(message));
        }
    }

    /// <summary>A message of a list: its id, and its body in one line.</summary>
    public void WriteListed(Message message)
    {
        if (Json)
        {
            WriteMessage(message);
        }
        else
        {
            WriteLine($"{TerminalText.OneLine(message.Id)}\t{TerminalText.OneLineOf(message)}");
        }
    }

    /// <summary>Text as it is, without a line end.</summary>
    public void Write(string text)
    {
        _output.Write(System.Text.Encoding.UTF8.GetBytes(text));
        _output.Flush();
    }

    /// <summary>The outcome of a command without other output: a sentence, or a value as JSON.</summary>
    public void Done(string sentence, object value)
    {
        if (Json)
        {
            WriteJson(value);
        }
        else
        {
            WriteLine(sentence);
        }
    }

    /// <summary>That there was nothing to print, on standard error and for people alone: scripts have the exit code.</summary>
    public void Nothing(string sentence)
    {
        if (!Json)
        {
            Console.Error.WriteLine(sentence);
        }
    }

    /// <summary>One line on standard error.</summary>
    public void Fail(string sentence, string type)
    {
        if (Json)
        {
            Console.Error.WriteLine(JsonSerializer.Serialize(new { error = type, detail = sentence }, JsonOptions));
        }
        else
        {
            Console.Error.WriteLine($"pushqueue: {sentence}");
        }
    }

    /// <summary>How far something is, on standard error, where somebody watches it.</summary>
    public static void Progress(string line)
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write($"\r{line}\u001b[K");
        }
    }

    public static void ProgressEnds()
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.WriteLine();
        }
    }
}
