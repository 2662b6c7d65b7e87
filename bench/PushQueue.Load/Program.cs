using PushQueue.Load;
using PushQueue.Load.Fanout;
using PushQueue.Load.Measuring;
using PushQueue.Load.Operations;
using PushQueue.Load.Suite;

const string Usage = """
    PushQueue.Load COMMAND [--option value]...       every run prints one line of JSON; exit 1 on loss, duplicates or refusals
      fanout     --port N --sub ws:PATH|sse:PATH|http:PATH|signalr:PATH --pub PATH [--pub-port N] [--subs N] [--pubs N] [--msgs N]
                 [--size BYTES] [--rate PER-SECOND] [--once] [--slow N] [--threads N] [--pause MS] [--settle MS] [--timeout S]
                 [--arguments JSON] [--type CONTENT-TYPE] [--header 'Name: value']... [--pid PID]...
      put, take  --port N [--proto http|beanstalk|jetstream] [--queue NAME] [--path PATH] [--conns N] [--window N] [--ops N] [--size BYTES]
                 [--threads N] [--create-stream] [--type CONTENT-TYPE] [--header 'Name: value']... [--timeout S] [--pid PID]...
      batch      as put; --window is the messages of a request
      lease-ack  as take, over HTTP
      consume    one WebSocket with ack=manual; --window is the acks of a command; [--prefetch N]
      startup    --server PushQueue.Server.dll --work DIR [--msgs N] [--size BYTES]
      selfcheck  counts known streams, cut at every byte
      suite      [--server PushQueue.Server.dll] [--peers DIR] --work DIR [--runs N] [--quick] [--only NAME,NAME] [--out FILE]
    """;

if (args.Length == 0)
{
    Console.Error.WriteLine(Usage);
    return 2;
}

try
{
    return args[0] switch
    {
        "fanout" => RunFanout(new Arguments(args.AsSpan(1), "--once")),
        "put" => RunOperation(OperationKind.Put, args),
        "take" => RunOperation(OperationKind.Take, args),
        "batch" => RunOperation(OperationKind.Batch, args),
        "lease-ack" => RunOperation(OperationKind.LeaseAck, args),
        "consume" => RunOperation(OperationKind.Consume, args),
        "selfcheck" => SelfCheck.Run(),
        "startup" => RunStartup(new Arguments(args.AsSpan(1))),
        "suite" => SuiteCommand.Run(new Arguments(args.AsSpan(1), "--quick")),
        _ => throw new LoadException($"unknown command '{args[0]}'\n{Usage}"),
    };
}
catch (LoadException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

static int RunFanout(Arguments arguments)
{
    var (kind, path) = arguments.Text("--sub", "ws:/ws/test").Split(':', 2) is [var before, var after] ? (before, after) : ("", "");
    var rate = arguments.Fraction("--rate", 0);
    var options = new FanoutOptions
    {
        Port = arguments.Number("--port", 8080),
        PublishPort = arguments.Number("--pub-port", 0),
        Kind = kind switch
        {
            "ws" => SubscriberKind.WebSocket,
            "sse" => SubscriberKind.ServerSentEvents,
            "http" => SubscriberKind.HttpStream,
            "signalr" => SubscriberKind.SignalR,
            _ => throw new LoadException("--sub is ws:PATH, sse:PATH, http:PATH or signalr:PATH"),
        },
        SubscribePath = path,
        PublishPath = arguments.Text("--pub", "/q/test"),
        Subscribers = arguments.Number("--subs", 100),
        Publishers = arguments.Number("--pubs", 4),
        Messages = arguments.Number("--msgs", 1000),
        Size = Size(arguments),
        Rate = rate,
        ReaderPauseMs = arguments.Number("--pause", rate > 0 ? 0 : 1),
        Once = arguments.Has("--once"),
        Slow = arguments.Number("--slow", 0),
        ReaderThreads = arguments.Number("--threads", 1),
        Settle = TimeSpan.FromMilliseconds(arguments.Number("--settle", 500)),
        Timeout = TimeSpan.FromSeconds(arguments.Number("--timeout", 60)),
        SignalRArguments = arguments.Text("--arguments", "[\"test\"]"),
        Headers = arguments.HeaderLines(),
        ContentType = arguments.Text("--type", "text/plain"),
        Pids = arguments.Pids(),
    };
    arguments.RequireAllUsed();
    var result = new FanoutRun(options).Execute();
    Report.Print(result);
    return result.Sound ? 0 : 1;
}

static int RunOperation(OperationKind kind, string[] args)
{
    var arguments = new Arguments(args.AsSpan(1), "--create-stream");
    var options = new OperationOptions
    {
        Kind = kind,
        Protocol = arguments.Text("--proto", "http") switch
        {
            "http" => Protocol.Http,
            "beanstalk" => Protocol.Beanstalk,
            "jetstream" => Protocol.JetStream,
            var other => throw new LoadException($"unknown protocol {other}"),
        },
        Port = arguments.Number("--port", 8080),
        Queue = arguments.Text("--queue", "load"),
        Path = arguments.Text("--path", ""),
        Connections = arguments.Number("--conns", 16),
        Window = arguments.Number("--window", kind switch { OperationKind.Batch => 10_000, OperationKind.Consume => 500, _ => 1 }),
        Operations = arguments.Number("--ops", 100_000),
        Size = Size(arguments),
        Threads = arguments.Number("--threads", 1),
        Prefetch = arguments.Number("--prefetch", 10_000),
        Headers = arguments.HeaderLines(),
        ContentType = arguments.Text("--type", "text/plain"),
        Timeout = TimeSpan.FromSeconds(arguments.Number("--timeout", 120)),
        Pids = arguments.Pids(),
    };
    if (arguments.Has("--create-stream"))
    {
        JetStreamConnection.CreateStream(options.Port, options.Queue);
    }

    arguments.RequireAllUsed();
    var result = new OperationRun(options).Execute();
    Report.Print(result);
    return result.Sound ? 0 : 1;
}

static int RunStartup(Arguments arguments)
{
    var run = new StartupRun(
        arguments.Text("--server", "artifacts/bin/PushQueue.Server/release/PushQueue.Server.dll"),
        arguments.Text("--work", Path.GetTempPath()),
        arguments.Number("--msgs", 1_000_000),
        Size(arguments));
    arguments.RequireAllUsed();
    var result = run.Execute();
    Report.Print(result);
    return result.Kept ? 0 : 1;
}

static int Size(Arguments arguments)
{
    var size = arguments.Number("--size", 100);
    return size >= PushQueue.Load.Protocols.Token.BytesMax ? size : throw new LoadException("--size is at least 48: the token must fit");
}
