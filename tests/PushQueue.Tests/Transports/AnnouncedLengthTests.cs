using System.Buffers.Binary;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using PushQueue.Tests.Support;
using PushQueue.Transports;
using PushQueue.Transports.Rest;
using PushQueue.Transports.Streaming;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>A length that a client announces allocates nothing; memory is allocated for received bytes.</summary>
public sealed class AnnouncedLengthTests
{
    private const int Announced = 512 * 1024 * 1024;

    [Fact]
    public async Task A_frame_takes_memory_as_it_comes()
    {
        var pipe = new Pipe();
        var heard = 0;
        using var reader = new WebSocketFrameReader(pipe.Reader.AsStream(), Announced, () => heard++);
        await pipe.Writer.WriteAsync(Header(Announced));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var frame = reader.ReadAsync();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        await pipe.Writer.CompleteAsync();

        Assert.InRange(allocated, 0, 1024 * 1024);
        Assert.Equal(WebSocketInput.End, (await frame.WithTimeout()).Kind);
        Assert.Equal(1, heard);
    }

    [Fact]
    public async Task Frames_of_every_size_come_whole()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        using var reader = new WebSocketFrameReader(pipe.Reader.AsStream(), Announced, static () => { });
        int[] sizes = [70_000, 1, 400_000, 4096, 65_536, 131_072, 5_000, 1_000_000];
        foreach (var size in sizes)
        {
            await pipe.Writer.WriteAsync(Header(size));
            await pipe.Writer.WriteAsync(Enumerable.Range(0, size).Select(i => (byte)i).ToArray());
        }

        foreach (var size in sizes)
        {
            var frame = await reader.ReadAsync().WithTimeout();
            Assert.Equal((WebSocketInput.Binary, size), (frame.Kind, frame.Payload.Length));
            Assert.True(Enumerable.Range(0, size).All(i => frame.Payload.Span[i] == (byte)i));
        }
    }

    [Fact]
    public async Task A_body_takes_memory_as_it_comes()
    {
        var pipe = new Pipe();
        var context = new DefaultHttpContext { Request = { Body = pipe.Reader.AsStream(), ContentLength = Announced } };

        var before = GC.GetAllocatedBytesForCurrentThread();
        var read = RequestBody.ReadAsync(context, Announced, ProblemType.MessageTooLarge);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        await pipe.Writer.CompleteAsync();

        Assert.InRange(allocated, 0, 1024 * 1024);
        Assert.Equal(ProblemType.BadRequest, (await read.WithTimeout()).Problem!.Type);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(1_000_000)]
    public async Task A_body_comes_whole(int size)
    {
        var sent = Enumerable.Range(0, size).Select(i => (byte)(i * 7)).ToArray();
        var context = new DefaultHttpContext { Request = { Body = new MemoryStream(sent), ContentLength = size } };

        var (body, problem) = await RequestBody.ReadAsync(context, Announced, ProblemType.MessageTooLarge).WithTimeout();

        Assert.Null(problem);
        Assert.Equal(sent, body);
    }

    // Masked by zeros, so that a payload is what it says.
    /// <summary>
    /// The header of a masked binary frame with a key of zeros and its length in the shortest form, as RFC 6455 section 5.2 asks.
    /// </summary>
    private static byte[] Header(int length)
    {
        var lengthBytes = length < 126 ? 0 : length <= ushort.MaxValue ? sizeof(ushort) : sizeof(ulong);
        var header = new byte[2 + lengthBytes + 4];
        header[0] = 0x82;
        header[1] = (byte)(0x80 | (lengthBytes == 0 ? length : lengthBytes == sizeof(ushort) ? 126 : 127));
        if (lengthBytes == sizeof(ushort))
        {
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)length);
        }
        else if (lengthBytes == sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(2), (ulong)length);
        }

        return header;
    }
}
