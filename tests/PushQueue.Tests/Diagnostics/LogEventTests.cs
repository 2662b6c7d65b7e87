using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Diagnostics;

public sealed partial class LogEventTests
{
    [Fact]
    public void Every_log_event_has_an_id_of_its_own()
    {
        var events = typeof(PushQueueOptions).Assembly.GetTypes()
            .SelectMany(
                static type =>
                    type.GetMethods(
                        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic
                            | BindingFlags.DeclaredOnly))
            .Select(static method => (method.Name, Event: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(static found => found.Event is not null)
            .ToList();

        Assert.NotEmpty(events);
        Assert.All(events, static found => Assert.InRange(found.Event!.EventId, 100, 9999));
        Assert.Empty(events.GroupBy(static found => found.Event!.EventId).Where(static group => group.Count() > 1)
            .Select(static group => $"{group.Key}: {string.Join(", ", group.Select(static found => found.Name))}"));
    }

    [Fact]
    public void Nothing_is_logged_but_by_such_an_event()
    {
        var server = Path.Combine(RepositoryRoot.Path, "server");

        var others = Directory.EnumerateFiles(server, "*.cs", SearchOption.AllDirectories)
            .Where(static file => PlainCall().IsMatch(File.ReadAllText(file)))
            .Select(file => Path.GetRelativePath(server, file));

        Assert.Empty(others);
    }

    [
        GeneratedRegex(
            @"[lL]ogger\.Log(Trace|Debug|Information|Warning|Error|Critical)?\(",
            RegexOptions.ExplicitCapture,
            matchTimeoutMilliseconds: 1000)
    ]
    private static partial Regex PlainCall();
}
