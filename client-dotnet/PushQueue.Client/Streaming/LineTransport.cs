using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using PushQueue.Client.Http;

namespace PushQueue.Client.Streaming;

/// <summary>A plain HTTP stream: server-sent events, or a line for each message. In both an envelope is one line.</summary>
internal sealed class LineTransport(bool serverSentEvents) : IStreamTransport
{
    private const int BufferBytes = 64 * 1024;

    // Three times as long as an idle server stays silent.
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(45);

    private static readonly StreamPipeReaderOptions ReaderOptions = new(bufferSize: BufferBytes);

    private static ReadOnlySpan<byte> DataField => "data: "u8;

    public async Task RunAsync(StreamSession session, CancellationToken cancellationToken)
    {
        var path = PathOf(session);
        string? resume = null;
        foreach (var (name, value) in session.SubscribeOptions())
        {
            if (name == "from" && session.Selection is not null && value is not ("latest" or "earliest"))
            {
                // May be too long for an address.
                resume = (string)value;
            }
            else
            {
                _ = value is string[] conditions ? path.AddWhere(conditions) : path.Add(name, (string)value);
            }
        }

        var (opened, token) = await session.Http.OpenAsync(
            session.Root, path.ToString(), serverSentEvents ? "text/event-stream" : "application/x-ndjson",
            cancellationToken, resume).ConfigureAwait(false);
        using var response = opened;
        session.ConnectionToken = token;
        session.OnStanding();
        using var silence = new CancellationTokenSource(SilenceMax, session.ClientOptions.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                await ReadAllAsync(PipeReader.Create(stream, ReaderOptions), session, silence, either.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PushQueueException(ProblemTypes.ConnectionLost, "The server sent no data for too long.", innerException: e);
        }
    }

    private Query PathOf(StreamSession session)
    {
        var path = serverSentEvents ? "/sse" : "/c";
        if (session.Selection is not { } selection)
        {
            return new Query($"{path}/{Query.Segment(session.Queue)}");
        }

        var query = new Query(path);
        Array.ForEach(selection.Queues, queue => query.Add("queue", queue));
        Array.ForEach(selection.Match, pattern => query.Add("match", pattern));
        return query;
    }

    private async Task ReadAllAsync(
        PipeReader reader, StreamSession session, CancellationTokenSource silence, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            silence.CancelAfter(Timeout.InfiniteTimeSpan);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                var line = rest.Slice(0, end);
                rest = rest.Slice(rest.GetPosition(1, end));
                if (serverSentEvents && session.Many is { } many)
                {
                    ReadCursor(line, many, session);
                }

                if (JsonOf(line.IsSingleSegment ? line.First : line.ToArray()) is { IsEmpty: false } json)
                {
                    await session.AcceptAsync(json, cancellationToken).ConfigureAwait(false);
                }
            }

            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
            {
                throw new PushQueueException(ProblemTypes.ConnectionLost, "The stream ended without a close event.");
            }

            silence.CancelAfter(SilenceMax);
        }
    }

    /// <summary>An id counts at the end of its event, when the message of the event has been handed on.</summary>
    private static void ReadCursor(in ReadOnlySequence<byte> line, ManyPosition many, StreamSession session)
    {
        var text = line.Length is 0 || !line.FirstSpan.StartsWith("id"u8) ? "" : Encoding.ASCII.GetString(line).TrimEnd('\r');
        if (text.StartsWith("id: ", StringComparison.Ordinal))
        {
            many.Expect(text[4..]);
        }
        else if (line.Length <= 1)
        {
            session.Reach();
        }
    }

    private ReadOnlyMemory<byte> JsonOf(ReadOnlyMemory<byte> line)
    {
        line = line.Span.EndsWith("\r"u8) ? line[..^1] : line;
        return !serverSentEvents ? line
            : line.Span.StartsWith(DataField) ? line[DataField.Length..]
            : default;
    }
}
