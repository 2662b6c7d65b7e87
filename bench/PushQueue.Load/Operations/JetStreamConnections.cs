using System.Buffers.Text;
using System.Text;
using PushQueue.Load.Measuring;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Operations;

/// <summary>The common part of the two JetStream operations: the NATS protocol, an inbox of their own and its answers.</summary>
internal abstract class JetStreamConnection : OperationConnection
{
    private static int _count;

    protected JetStreamConnection(OperationOptions options, WorkLedger work)
        : base(options, work)
    {
        Inbox = Encoding.UTF8.GetBytes($"_INBOX.load{Environment.ProcessId}-{Interlocked.Increment(ref _count)}");
        ReadThrough("\r\n"u8);
        SendBlocking([.. "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\nSUB "u8, .. Inbox, .. ".* 1\r\nPING\r\n"u8]);
        ReadThrough("PONG\r\n"u8);
    }

    protected byte[] Inbox { get; }

    /// <summary>A work queue in a file, and a durable consumer that pulls.</summary>
    internal static void CreateStream(int port, string queue)
    {
        using var setup = new StreamSetup(port);
        setup.SendBlocking("CONNECT {\"verbose\":false}\r\nSUB setup 1\r\n"u8);
        setup.Request($"$JS.API.STREAM.CREATE.{queue}", $$"""
            {"name":"{{queue}}","subjects":["{{queue}}"],"storage":"file","retention":"workqueue","num_replicas":1,
             "discard":"old","max_consumers":-1,"max_msgs":-1,"max_bytes":-1}
            """);
        setup.Request($"$JS.API.CONSUMER.DURABLE.CREATE.{queue}.PULL", $$$"""
            {"stream_name":"{{{queue}}}","config":{"durable_name":"PULL","ack_policy":"explicit","max_ack_pending":100000}}
            """);
    }

    protected sealed override int Consume(ReadOnlySpan<byte> bytes)
    {
        var done = 0;
        while (bytes[done..].IndexOf("\r\n"u8) is >= 0 and var end)
        {
            var line = bytes.Slice(done, end);
            var length = end + 2;
            if (line.StartsWith("PING"u8))
            {
                Send("PONG\r\n"u8);
            }
            else if (line.StartsWith("PONG"u8))
            {
                Finish();
            }
            else if (line.StartsWith("MSG "u8) || line.StartsWith("HMSG "u8))
            {
                _ = Utf8Parser.TryParse(line[(line.LastIndexOf((byte)' ') + 1)..], out int size, out _);
                if (bytes.Length - done < length + size + 2)
                {
                    break;
                }

                OnMessage(line, bytes.Slice(done + length, size));
                length += size + 2;
            }
            else
            {
                Work.Fail(line);
            }

            done += length;
        }

        return done;
    }

    protected abstract void OnMessage(ReadOnlySpan<byte> line, ReadOnlySpan<byte> payload);

    private sealed class StreamSetup(int port) : Net.Connection(port)
    {
        internal void Request(string subject, string json)
        {
            var payload = Encoding.UTF8.GetBytes(json.Trim());
            SendBlocking([.. Encoding.UTF8.GetBytes($"PUB {subject} setup {payload.Length}\r\n"), .. payload, .. "\r\n"u8]);
            ReadThrough("MSG "u8);
            ReadThrough("\r\n"u8);
            var answer = Encoding.UTF8.GetString(ReadThrough("\r\n"u8));
            if (answer.Contains("\"error\"", StringComparison.Ordinal))
            {
                throw new LoadException($"JetStream refused: {answer}");
            }
        }

        protected override int Consume(ReadOnlySpan<byte> bytes) => bytes.Length;
    }
}

/// <summary>A publish that is acknowledged by the stream.</summary>
internal sealed class JetStreamPut(OperationOptions options, WorkLedger work) : JetStreamConnection(options, work)
{
    private byte[]? _command;

    protected override void WriteRequests(int first, int count)
    {
        _command ??= Encoding.UTF8.GetBytes($"PUB {Options.Queue} {Encoding.UTF8.GetString(Inbox)}.a {Options.Size}\r\n");
        for (var i = 0; i < count; i++)
        {
            Write(_command);
            Token.WriteBody(Reserve(Options.Size), first + i, Clock.Now);
            Write("\r\n"u8);
        }
    }

    protected override void OnMessage(ReadOnlySpan<byte> line, ReadOnlySpan<byte> payload)
    {
        if (payload.IndexOf("\"error\""u8) >= 0)
        {
            Work.Fail(payload);
        }

        if (--Awaited == 0)
        {
            WindowDone();
        }
    }
}

/// <summary>A pull of W messages, then an ack for each (JetStream does not answer acks); the last acks are followed by a PING.</summary>
internal sealed class JetStreamTake(OperationOptions options, WorkLedger work) : JetStreamConnection(options, work)
{
    private byte[] _pull = [];
    private int _pullCount;

    protected override void WriteRequests(int first, int count)
    {
        if (_pullCount != count)
        {
            var request = $"{{\"batch\":{count},\"expires\":5000000000}}";
            _pull = Encoding.UTF8.GetBytes(
                $"PUB $JS.API.CONSUMER.MSG.NEXT.{Options.Queue}.PULL {Encoding.UTF8.GetString(Inbox)}.n {request.Length}\r\n{request}\r\n");
            _pullCount = count;
        }

        Write(_pull);
    }

    protected override bool BeforeFinish()
    {
        Send("PING\r\n"u8);
        return true;
    }

    protected override void OnMessage(ReadOnlySpan<byte> line, ReadOnlySpan<byte> payload)
    {
        if (line[0] == (byte)'H')
        {
            // A status: the pull ended before all its messages came.
            Work.Fail(payload);
            Finish();
            return;
        }

        // MSG subject sid reply size
        var fields = line["MSG "u8.Length..];
        fields = fields[(fields.IndexOf((byte)' ') + 1)..];
        fields = fields[(fields.IndexOf((byte)' ') + 1)..];
        Work.Return(payload);
        Write("PUB "u8);
        Write(fields[..fields.IndexOf((byte)' ')]);
        Write(" 4\r\n+ACK\r\n"u8);
        if (--Awaited == 0)
        {
            SendOutput();
            WindowDone();
        }
    }
}
