namespace PushQueue.Load.Fanout;

internal enum SubscriberKind
{
    WebSocket,
    ServerSentEvents,
    HttpStream,
    SignalR,
}

/// <summary>The options of one fan-out run. Defaults are those of the command line.</summary>
internal sealed record FanoutOptions
{
    internal required int Port { get; init; }

    /// <summary>Of further nodes; the subscribers are spread over all evenly, what is published goes to <see cref="Port"/>.</summary>
    internal IReadOnlyList<int> MorePorts { get; init; } = [];

    internal int PublishPort { get; init; }

    internal required SubscriberKind Kind { get; init; }

    /// <summary>May hold <c>%d</c>: the subscriber's number.</summary>
    internal required string SubscribePath { get; init; }

    internal required string PublishPath { get; init; }

    internal int Subscribers { get; init; } = 100;

    internal int Publishers { get; init; } = 4;

    internal int Messages { get; init; } = 1000;

    internal int Size { get; init; } = 100;

    /// <summary>Messages a second in all; 0 is as fast as they are answered.</summary>
    internal double Rate { get; init; }

    /// <summary>Round robin: each message must reach exactly one subscriber.</summary>
    internal bool Once { get; init; }

    /// <summary>
    /// Into how many queues the messages go in turn, by a publisher of each; <c>%d</c> in the paths stands for the queue's number. With
    /// one number in the path of a subscriber it gets the messages of one queue.
    /// </summary>
    internal int Queues { get; init; } = 1;

    /// <summary>How many of the subscribers never read; nothing is expected of them.</summary>
    internal int Slow { get; init; }

    internal int ReaderThreads { get; init; } = 1;

    /// <summary>
    /// How long readers let messages gather between two rounds of reading. A reader that runs for every message takes the processor from
    /// the server it measures: on 2 cores a pause of 1 ms raised nchan's full-speed rate by half and cut the client's cost to a third.
    /// A run at a rate measures latency and does not pause.
    /// </summary>
    internal int ReaderPauseMs { get; init; }

    internal TimeSpan Settle { get; init; } = TimeSpan.FromMilliseconds(500);

    internal TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The arguments of the hub's Subscribe, as JSON.</summary>
    internal string SignalRArguments { get; init; } = "[\"test\"]";

    /// <summary>Header lines, each with its end.</summary>
    internal string Headers { get; init; } = "";

    internal string ContentType { get; init; } = "text/plain";

    internal IReadOnlyList<int> Pids { get; init; } = [];
}
