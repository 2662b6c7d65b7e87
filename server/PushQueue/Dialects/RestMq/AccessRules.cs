using System.Globalization;

namespace PushQueue.Dialects.RestMq;

/// <summary>The rules of an access file. Strict: a word that was misspelt must not leave a door open.</summary>
internal sealed class AccessRules
{
    private static readonly Dictionary<string, AccessSection> SectionNames = new(StringComparer.Ordinal)
    {
        ["rest:producer"] = AccessSection.RestProducer,
        ["rest:consumer"] = AccessSection.RestConsumer,
        ["comet:consumer"] = AccessSection.CometConsumer,
        ["websocket:consumer"] = AccessSection.WebSocketConsumer,
    };

    private static readonly string[] Keys = ["hosts_allow", "hosts_deny", "username", "password"];

    private readonly Dictionary<AccessSection, AccessRule> _rules = [];

    /// <summary>The rule of a section; a section that is not in the file lets everyone in.</summary>
    public AccessRule this[AccessSection section] => _rules.GetValueOrDefault(section, AccessRule.Open);

    /// <summary>
    /// Reads the text of a file; null where something is wrong with it, told in <paramref name="errors"/> with the numbers of lines.
    /// </summary>
    public static AccessRules? Parse(string text, out IReadOnlyList<string> errors)
    {
        var reading = new Reading();
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            reading.Line(++number, line.Trim());
        }

        errors = reading.Finish();
        return errors.Count == 0 ? reading.Rules : null;
    }

    private sealed class Reading
    {
        private readonly List<string> _errors = [];
        private readonly HashSet<AccessSection> _seen = [];
        private readonly Dictionary<string, string> _values = new(StringComparer.OrdinalIgnoreCase);
        private AccessSection? _section;
        private bool _anySection;
        private int _sectionLine;

        public AccessRules Rules { get; } = new();

        public void Line(int number, string line)
        {
            if (line.Length == 0 || line[0] == '#')
            {
                return;
            }

            if (line[0] == '[')
            {
                Section(number, line);
                return;
            }

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? "" : line[..equals].TrimEnd();
            var value = line[(equals + 1)..].TrimStart();
            if (equals < 0)
            {
                Add(number, "is neither a [section] nor key = value");
            }
            else if (!Keys.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                Add(number, $"has the key '{key}'; there are {string.Join(", ", Keys)}");
            }
            else if (!_anySection)
            {
                Add(number, $"gives '{key}' before the first section");
            }
            else if (value.Length == 0)
            {
                Add(number, $"gives '{key}' no value");
            }
            else if (!_values.TryAdd(key, value))
            {
                Add(number, $"gives '{key}' a second time in its section");
            }
            else if (key.StartsWith("hosts_", StringComparison.OrdinalIgnoreCase)
                && Array.Find(Hosts(value), static host => !IsPrefix(host)) is { } wrong)
            {
                Add(number, $"has the host '{wrong}'; give beginnings of IP addresses such as 127.0.0.1 or 10., or all");
            }
        }

        public List<string> Finish()
        {
            EndSection();
            if (!_anySection)
            {
                // A file also looks like this while an editor writes it; to take it for a file without rules would let everybody in.
                _errors.Add("it has no section");
            }

            return _errors;
        }

        private void Section(int number, string line)
        {
            EndSection();
            _values.Clear();
            _anySection = true;
            _sectionLine = number;
            _section = SectionNames.TryGetValue(line.TrimStart('[').TrimEnd(']').Trim(), out var section) && line[^1] == ']'
                ? section
                : null;
            if (_section is null)
            {
                Add(
                    number,
                    $"has the section '{line}'; there are {string.Join(", ", SectionNames.Keys.Select(static name => $"[{name}]"))}");
            }
            else if (!_seen.Add(section))
            {
                Add(number, $"begins the section {line} a second time");
            }
        }

        private void EndSection()
        {
            if (_section is not { } section)
            {
                return;
            }

            var user = _values.GetValueOrDefault("username");
            var password = _values.GetValueOrDefault("password");
            if (user is null != password is null)
            {
                Add(_sectionLine, "begins a section with only one of username and password; give both or none");
            }
            else if (user?.Contains(':', StringComparison.Ordinal) == true)
            {
                Add(_sectionLine, "begins a section whose username has a ':', which no client can send");
            }

            Rules._rules[section] = new AccessRule(HostsOf("hosts_allow"), HostsOf("hosts_deny"), user, password);
        }

        private string[]? HostsOf(string key) => _values.TryGetValue(key, out var value) ? Hosts(value) : null;

        private static string[] Hosts(string value) => value.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

        private static bool IsPrefix(string host) =>
            host == AccessRule.Everyone
            || (host.All(static c => char.IsAsciiHexDigit(c) || c is '.' or ':')
                && (char.IsAsciiDigit(host[0]) || host.Contains(':', StringComparison.Ordinal)));

        private void Add(int number, string what) => _errors.Add(string.Create(CultureInfo.InvariantCulture, $"line {number} {what}"));
    }
}
