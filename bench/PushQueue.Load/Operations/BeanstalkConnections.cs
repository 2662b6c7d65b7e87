using System.Buffers.Text;
using System.Text;
using PushQueue.Load.Measuring;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Operations;

/// <summary>beanstalkd's put.</summary>
internal sealed class BeanstalkPut : OperationConnection
{
    private readonly byte[] _command;

    internal BeanstalkPut(OperationOptions options, WorkLedger work)
        : base(options, work)
    {
        _command = Encoding.UTF8.GetBytes($"put 1024 0 60 {options.Size}\r\n");
        SendBlocking(Encoding.UTF8.GetBytes($"use {options.Queue}\r\n"));
        ReadThrough("\r\n"u8);
    }

    protected override void WriteRequests(int first, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Write(_command);
            Token.WriteBody(Reserve(Options.Size), first + i, Clock.Now);
            Write("\r\n"u8);
        }
    }

    protected override int Consume(ReadOnlySpan<byte> bytes)
    {
        var done = 0;
        while (Awaited > 0 && bytes[done..].IndexOf("\r\n"u8) is >= 0 and var end)
        {
            var line = bytes.Slice(done, end);
            done += end + 2;
            if (!line.StartsWith("INSERTED"u8))
            {
                Work.Fail(line);
            }

            if (--Awaited == 0)
            {
                WindowDone();
            }
        }

        return done;
    }
}

/// <summary>beanstalkd's reserve, then delete: its way of taking for good.</summary>
internal sealed class BeanstalkTake : OperationConnection
{
    private bool _deleting;
    private int _reserved;

    internal BeanstalkTake(OperationOptions options, WorkLedger work)
        : base(options, work)
    {
        SendBlocking(Encoding.UTF8.GetBytes($"watch {options.Queue}\r\n"));
        ReadThrough("\r\n"u8);
    }

    protected override void WriteRequests(int first, int count)
    {
        _deleting = false;
        _reserved = 0;
        for (var i = 0; i < count; i++)
        {
            Write("reserve-with-timeout 5\r\n"u8);
        }
    }

    protected override int Consume(ReadOnlySpan<byte> bytes)
    {
        var done = 0;
        while (Awaited > 0 && bytes[done..].IndexOf("\r\n"u8) is >= 0 and var end)
        {
            var line = bytes.Slice(done, end);
            var length = end + 2;
            if (line.StartsWith("RESERVED "u8))
            {
                var numbers = line["RESERVED "u8.Length..];
                _ = Utf8Parser.TryParse(numbers, out long id, out var digits);
                _ = Utf8Parser.TryParse(numbers[(digits + 1)..], out int size, out _);
                if (bytes.Length - done < length + size + 2)
                {
                    break;
                }

                OnReserved(id, bytes.Slice(done + length, size));
                length += size + 2;
            }
            else if (!line.SequenceEqual("DELETED"u8))
            {
                Work.Fail(line);
            }

            done += length;
            if (--Awaited == 0)
            {
                OnAllAnswered();
            }
        }

        return done;
    }

    private void OnReserved(long id, ReadOnlySpan<byte> message)
    {
        Work.Return(message);
        Write("delete "u8);
        Write(id);
        Write("\r\n"u8);
        _reserved++;
    }

    private void OnAllAnswered()
    {
        if (_deleting || _reserved == 0)
        {
            WindowDone();
            return;
        }

        _deleting = true;
        Awaited = _reserved;
        SendOutput();
    }
}
