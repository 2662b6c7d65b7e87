using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;
using PushQueue.Diagnostics;
using Xunit;

namespace PushQueue.Tests.Diagnostics;

public sealed class NodeEventLoggerTests
{
    [Fact]
    public void Warnings_and_errors_of_the_log_are_events_and_what_clients_do_wrong_is_not()
    {
        var events = new NodeEvents(TimeProvider.System);
        using var provider = new NodeEventLoggerProvider(events);
        var logger = provider.CreateLogger("test");

        logger.LogInformation("All is well");
        logger.LogWarning("The disk is nearly full");
        logger.LogError(new IOException("no space"), "The log cannot be written");
        logger.LogError(new HubException("bad-option: no"), "Failed to invoke hub method");

        Assert.Equal(
            [(NodeEventLevel.Error, "The log cannot be written: no space"), (NodeEventLevel.Warning, "The disk is nearly full")],
            events.Since(0, 10).Select(found => (found.Level, found.Text)));
    }
}
