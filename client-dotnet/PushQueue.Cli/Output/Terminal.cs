using System.Text.Json;
using PushQueue.Client;
using Spectre.Console;

namespace PushQueue.Cli.Output;

/// <summary>Where results go: tables for people, JSON for scripts. Colours only on a terminal.</summary>
internal sealed class Terminal
{
    private const int WidthWhenPiped = 240;

    private static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web);

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
        if (Console.IsOutputRedirected)
        {
            People.Profile.Width = WidthWhenPiped;
        }
    }

    public bool Json { get; }

    /// <summary>Whether a table may be drawn again and again.</summary>
    public bool IsLive { get; }

    public IAnsiConsole People { get; }

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

    public void WriteMessage(Message message) => WriteLine(Json ? MessageJson.Write(message) : message.Body.Span);

    /// <summary>What a command did that has nothing else to say: a sentence, or a value as JSON.</summary>
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
