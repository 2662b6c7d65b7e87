using System.Globalization;

namespace PushQueue.Load;

/// <summary>
/// The options after the command's name. An option that the command does not read is an error, so that a typo never measures a default.
/// </summary>
internal sealed class Arguments
{
    private readonly List<(string Name, string Value)> _given = [];

    internal Arguments(ReadOnlySpan<string> arguments, params ReadOnlySpan<string> switches)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            var name = arguments[i];
            if (!name.StartsWith("--", StringComparison.Ordinal))
            {
                throw new LoadException($"'{name}' is not an option; options look like --name value");
            }

            if (switches.Contains(name))
            {
                _given.Add((name, "true"));
            }
            else if (++i < arguments.Length)
            {
                _given.Add((name, arguments[i]));
            }
            else
            {
                throw new LoadException($"{name} needs a value");
            }
        }
    }

    internal IReadOnlyList<string> All(string name)
    {
        var values = _given.Where(option => option.Name == name).Select(option => option.Value).ToList();
        _given.RemoveAll(option => option.Name == name);
        return values;
    }

    internal string Text(string name, string otherwise) => All(name) is [.., var last] ? last : otherwise;

    internal bool Has(string name) => All(name).Count > 0;

    internal int Number(string name, int otherwise) => (int)Fraction(name, otherwise);

    internal double Fraction(string name, double otherwise)
    {
        var text = Text(name, "");
        if (text.Length == 0)
        {
            return otherwise;
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new LoadException($"{name} must be a number, not '{text}'");
    }

    internal IReadOnlyList<int> Pids() => [.. All("--pid").Select(pid => int.Parse(pid, CultureInfo.InvariantCulture))];

    internal string HeaderLines() => string.Concat(All("--header").Select(header => header + "\r\n"));

    internal void RequireAllUsed()
    {
        if (_given.Count > 0)
        {
            throw new LoadException($"unknown option {_given[0].Name}");
        }
    }
}
