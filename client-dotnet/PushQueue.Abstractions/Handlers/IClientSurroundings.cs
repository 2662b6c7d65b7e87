using Microsoft.Extensions.Logging;

namespace PushQueue.Client.Handlers;

/// <summary>The loggers and the clock of a client, which its handlers use where their options name no others.</summary>
internal interface IClientSurroundings
{
    ILoggerFactory? LoggerFactory { get; }

    TimeProvider TimeProvider { get; }
}
