using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Transports;

namespace PushQueue.Dialects.RestMq;

/// <summary>
/// Syslog over TCP: puts each line on the queue <c>syslogd:ADDRESS</c> of its sender. Syslog has no answers, so where a put is refused the
/// lines wait and the sender is not read from until it goes through: nothing is dropped but a line that is larger than a message may be,
/// and what nobody could take at the very end.
/// </summary>
internal sealed partial class SyslogReceiver(IMessageBroker broker, QueuesOptions limits, TimeProvider time, ILogger<SyslogReceiver> logger)
    : ConnectionHandler
{
    private const int LineBytesMax = 64 * 1024;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        // Only the server's stop ends it early: a sender that has gone may have left lines to be read.
        var stopping =
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        try
        {
            await ReadAsync(
                connection.Transport.Input, AccessGuard.AddressOf((connection.RemoteEndPoint as IPEndPoint)?.Address), stopping);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The server is stopping, or the connection broke.
        }
    }

    private async Task ReadAsync(PipeReader input, string host, CancellationToken stopping)
    {
        if (!QueueName.TryParse("syslogd:" + host, out var queue, out _))
        {
            return;
        }

        while (true)
        {
            var read = await input.ReadAsync(stopping);

            // It may have been read on a thread that other connections wait for.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var rest = read.Buffer;
            var messages = new List<NewMessage>();
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                Add(messages, rest.Slice(0, end), host);
                rest = rest.Slice(rest.GetPosition(1, end));
            }

            if (read.IsCompleted)
            {
                Add(messages, rest, host);
                rest = rest.Slice(rest.End);
            }

            foreach (var batch in messages.Chunk(limits.BatchMessagesMax))
            {
                await PutAsync(queue, batch, stopping);
            }

            if (rest.Length > LineBytesMax)
            {
                Log.LineTooLong(logger, host, LineBytesMax);
                return;
            }

            input.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    private void Add(List<NewMessage> messages, ReadOnlySequence<byte> line, string host)
    {
        // Some senders end their lines with more than a line feed; logs in other encodings than UTF-8 are better told with marks than lost.
        var text = Encoding.UTF8.GetString(line).TrimEnd('\r', '\0');
        if (text.Length == 0)
        {
            return;
        }

        var body = SyslogLine.ToJson(text, host, time.GetUtcNow());
        if (body.Length > broker.MessageBytesMax)
        {
            // It never would go through.
            Log.LineDropped(logger, host, broker.MessageBytesMax);
            return;
        }

        messages.Add(new NewMessage { Body = body, ContentType = ContentTypes.Json });
    }

    private async Task PutAsync(QueueName queue, NewMessage[] messages, CancellationToken stopping)
    {
        var told = false;
        while (await broker.PutManyAsync(queue, messages) is { Ok: false } refused)
        {
            if (!told)
            {
                Log.Waiting(logger, messages.Length, queue.Value, ProblemDetailsMapper.ToProblem(refused).Sentence);
                told = true;
            }

            await Task.Delay(RetryDelay, time, stopping);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(620, LogLevel.Warning, "A syslog line from {Host} has more than {BytesMax} bytes; the connection is closed")]
        public static partial void LineTooLong(ILogger logger, string host, int bytesMax);

        [LoggerMessage(621, LogLevel.Warning, "{Count} syslog lines for {Queue} wait: {Sentence}")]
        public static partial void Waiting(ILogger logger, int count, string queue, string sentence);

        [LoggerMessage(
            622,
            LogLevel.Warning,
            "A syslog line from {Host} makes a message of more than {BytesMax} bytes (--max-message-bytes); it is dropped")]
        public static partial void LineDropped(ILogger logger, string host, int bytesMax);
    }
}
