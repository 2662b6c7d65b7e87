using BenchmarkDotNet.Attributes;
using PushQueue.Security;
using PushQueue.Transports.Commands;

namespace PushQueue.Benchmarks;

/// <summary>The parsing of one command of the JSON protocol.</summary>
public class CommandBenchmarks
{
    private static readonly ReadOnlyMemory<byte> Frame =
        """{"cmd":"put","ref":17,"queue":"orders","contentType":"text/plain","delay":"5s","value":"hello, world"}"""u8.ToArray();

    [Benchmark]
    public string ParseCommand()
    {
        var frame = CommandFrame.Read(Frame, Caller.Everybody);
        return frame.Problem is null
            ? frame.Command
            : throw new InvalidOperationException("The command is refused, so the time says nothing.");
    }
}
