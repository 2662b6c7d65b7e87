using System.Text;
using PushQueue.Load.Measuring;
using PushQueue.Load.Net;
using PushQueue.Load.Protocols;

namespace PushQueue.Load.Fanout;

/// <summary>
/// All publishers on one thread: each keeps one POST in flight over its keep-alive connection. At a rate, message n is due n/rate after
/// the start whatever became of the others; it goes out on the next free publisher.
/// </summary>
internal sealed class PublisherLoop : IDisposable
{
    private readonly FanoutOptions _options;
    private readonly EventLoop _loop = new();
    private readonly Queue<Publisher> _free = new();
    private int _answered;
    private int _open;

    internal PublisherLoop(FanoutOptions options)
    {
        _options = options;
        for (var i = 0; i < options.Publishers; i++)
        {
            var publisher = new Publisher(this, options, i);
            _loop.Add(publisher);
            _free.Enqueue(publisher);
            _open++;
        }
    }

    internal int Errors { get; private set; }

    internal double Seconds { get; private set; }

    internal void Run()
    {
        var start = Clock.Now;
        var next = 0;
        while (_answered < _options.Messages && _open > 0)
        {
            while (next < _options.Messages && _free.Count > 0 && DueAt(start, next) <= Clock.Now)
            {
                _free.Dequeue().Publish(next++);
            }

            var waitsForTime = next < _options.Messages && _free.Count > 0;
            var wait = waitsForTime ? Math.Max(0, (DueAt(start, next) - Clock.Now + 999_999) / 1_000_000) : 100;
            _loop.Poll((int)wait);
        }

        Errors += _options.Messages - _answered;
        Seconds = Clock.SecondsSince(start);
    }

    public void Dispose() => _loop.Dispose();

    private long DueAt(long start, int message) => _options.Rate > 0 ? start + (long)(message * 1e9 / _options.Rate) : 0;

    private sealed class Publisher : Connection
    {
        private readonly PublisherLoop _owner;
        private readonly byte[] _request;
        private readonly int _bodyStart;

        internal Publisher(PublisherLoop owner, FanoutOptions options, int number)
            : base(options.PublishPort == 0 ? options.Port : options.PublishPort)
        {
            _owner = owner;
            var path = options.PublishPath.Replace("%d", $"{number}", StringComparison.Ordinal);
            var head = Encoding.UTF8.GetBytes($"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {options.ContentType}\r\n"
                + $"{options.Headers}Content-Length: {options.Size}\r\n\r\n");
            _bodyStart = head.Length;
            _request = [.. head, .. new byte[options.Size]];
        }

        internal void Publish(int sequence)
        {
            Token.WriteBody(_request.AsSpan(_bodyStart), sequence, Clock.Now);
            Send(_request);
        }

        protected override int Consume(ReadOnlySpan<byte> bytes)
        {
            if (!HttpAnswer.TryRead(bytes, out var answer, out var length))
            {
                return 0;
            }

            if (!answer.Succeeded && _owner.Errors++ == 0)
            {
                Console.Error.WriteLine(
                    $"publish refused: {Encoding.UTF8.GetString(answer.Head).Split('\r')[0]} {Encoding.UTF8.GetString(answer.Body)}");
            }

            _owner._answered++;
            _owner._free.Enqueue(this);
            return length;
        }

        protected override void OnClosed()
        {
            Console.Error.WriteLine("the server closed a publisher's connection");
            _owner._open--;
        }
    }
}
