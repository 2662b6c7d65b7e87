namespace PushQueue.Load.Operations;

internal enum OperationKind
{
    Put,
    Take,
    Batch,
    LeaseAck,
    Consume,
}

internal enum Protocol
{
    Http,
    Beanstalk,
    JetStream,
}

internal sealed record OperationOptions
{
    internal required OperationKind Kind { get; init; }

    internal Protocol Protocol { get; init; } = Protocol.Http;

    internal required int Port { get; init; }

    internal string Queue { get; init; } = "load";

    /// <summary>Where to put or take over HTTP, if not <c>/q/{queue}</c>: a peer's route.</summary>
    internal string Path { get; init; } = "";

    internal int Connections { get; init; } = 16;

    /// <summary>Requests sent together on a connection, and messages in a batch: all are answered before the next are sent.</summary>
    internal int Window { get; init; } = 1;

    internal int Operations { get; init; } = 100_000;

    internal int Size { get; init; } = 100;

    internal int Threads { get; init; } = 1;

    internal int Prefetch { get; init; } = 10_000;

    /// <summary>Into how many keys the messages of a batch are dealt in turn; 0: they have no key.</summary>
    internal int Keys { get; init; }

    internal string Headers { get; init; } = "";

    internal string ContentType { get; init; } = "text/plain";

    /// <summary>Goes before the body of each put and is not counted in <see cref="Size"/>: the name of a form's field.</summary>
    internal string BodyStart { get; init; } = "";

    internal TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(120);

    internal IReadOnlyList<int> Pids { get; init; } = [];

    internal string HttpPath => Path.Length > 0 ? Path : $"/q/{Uri.EscapeDataString(Queue)}";
}
